"""From the tables of a file to a scenario: every name resolved, every type checked, all mistakes gathered."""

from __future__ import annotations

import itertools
import keyword
import math
import re
from typing import TYPE_CHECKING, Any

from sim.errors import Problem, did_you_mean
from sim.scenario.expression import FUNCTIONS, PATH_OPERATORS, Expression, Labels, Node, Scope, Symbol, parse
from sim.scenario.model import Action, Assumption, Branch, Case, Player, Question, Record, Scenario, Turn, Variable
from sim.scenario.places import line_of
from sim.scenario.schema import ID_PATTERN
from sim.scenario.values import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sim.scenario.expression import Type
    from sim.scenario.places import Path
    from sim.scenario.schema import Documented, MoveTable, OutcomeTable, RecordTable, ScenarioFile, StateTable

__all__ = ["Resolver"]

RESERVED = frozenset(
    {
        "round",
        "rounds_left",
        "each_round",
        "discount",
        "mover",
        "chosen",
        "true",
        "false",
        "chance",
        *FUNCTIONS,
        *PATH_OPERATORS,
    }
)
MAX_ACTIONS = 4096
MAX_VALUES = 10_000


class Resolver:
    """Resolves one file; use :meth:`scenario` once."""

    def __init__(self, file: ScenarioFile, document: Mapping[str, Any], lines: Mapping[Path, int], name: str) -> None:
        self.file, self.document, self.lines, self.name = file, document, lines, name
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.labels: dict[str, Labels] = {}
        self.symbols: dict[str, Symbol] = {}
        self.assumption_symbols: dict[str, Symbol] = {}
        self.used: set[str] = set()

    # -- notes --------------------------------------------------------------------------------------------------------------------

    def note(self, path: Path, kind: str, what: str, expected: str = "", advice: str = "") -> None:
        """Note a mistake at a key."""
        self.problems.append(self.at(path, kind, what, expected, advice))

    def at(self, path: Path, kind: str, what: str, expected: str = "", advice: str = "") -> Problem:
        """Make a problem that points at a key."""
        place = ".".join(str(part) for part in path)
        return Problem(
            kind=kind,
            what=what,
            expected=expected,
            advice=advice,
            place=place,
            file=self.name,
            line=line_of(self.lines, path),
        )

    def read(self, text: Any, path: Path, subject: str, scope: Scope, wanted: Type) -> Expression:
        """Read one expression, noting its problems under its subject."""
        expression, problems = parse(text, scope, wanted)
        for problem in problems:
            self.note(path, problem.kind, f"{subject} {problem.what}", problem.expected, problem.advice)
        self.used |= expression.reads
        return expression

    def unknown(self, path: Path, subject: str, word: str, known: Iterable[str], kind: str) -> bool:
        """Note a name that does not exist; tell whether it was noted."""
        names = list(known)
        if word in names:
            return False
        self.note(
            path, "unknown-name", f"{subject} names '{word}', which is not {kind}", advice=did_you_mean(word, names)
        )
        return True

    # -- names --------------------------------------------------------------------------------------------------------------------

    def check_ids(self) -> None:
        """Check that ids are readable names and that no name means two things."""
        file = self.file
        owners: dict[str, str] = {}
        for section, names in (("players", file.players), ("assumptions", file.assumptions), ("state", file.state)):
            for name in names:
                self.check_id((section, name), name)
                if name in owners:
                    self.note(
                        (section, name),
                        "duplicate-id",
                        f"'{name}' is in [{section}] and in [{owners[name]}]",
                        advice="rename one of them",
                    )
                owners.setdefault(name, section)
        for section, names in (("moves", file.moves), ("chance", file.chance), ("outcomes", file.outcomes)):
            for name in names:
                self.check_id((section, name), name)
        for name, move in file.moves.items():
            if move.group and move.group in file.moves:
                self.note(
                    ("moves", name, "group"),
                    "duplicate-id",
                    f"group '{move.group}' has the name of a move",
                    advice="rename the group",
                )
        for variable, table in file.state.items():
            for label in (*(table.ladder or ()), *(table.values or ())):
                if label in owners and label not in file.players:
                    self.note(
                        ("state", variable),
                        "duplicate-id",
                        f"label '{label}' of {variable} is also a name in [{owners[label]}]",
                        advice="rename one of them",
                    )

    def check_id(self, path: Path, name: str) -> None:
        """Check one id."""
        if not re.match(ID_PATTERN, name):
            self.note(path, "bad-id", f"'{name:.40}' cannot be a name", "letters, digits and _, starting with a letter")
        elif name in RESERVED or keyword.iskeyword(name):
            self.note(path, "bad-id", f"'{name}' is a word of the language", advice="choose another name")

    def check_source(self, table: Documented, path: Path) -> tuple[str, ...]:
        """Check that cited paragraphs exist."""
        count = self.file.source.paragraphs
        for citation in table.source:
            for number in re.findall(r"¶+\s*(\d+)|(?<=[–-])(\d+)", citation) if count and "¶" in citation else ():
                paragraph = int(number[0] or number[1])
                if not 1 <= paragraph <= (count or 0):
                    self.note(
                        (*path, "source"),
                        "paragraph",
                        f"{'.'.join(map(str, path))} cites ¶{paragraph}",
                        f"¶1 to ¶{count}",
                        "see paragraphs in [source]",
                    )
        return tuple(table.source)

    # -- assumptions ----------------------------------------------------------------------------------------------------------------

    def read_assumptions(self) -> dict[str, Assumption]:
        """Read the ledger of assumptions."""
        for name, table in self.file.assumptions.items():
            kind: Type = "number"
            if table.choices and all(isinstance(choice, str) for choice in table.choices):
                kind = self.labels[name] = Labels(name, tuple(table.choices))
            self.assumption_symbols[name] = Symbol("assumption", kind)
        out: dict[str, Assumption] = {}
        for name, table in self.file.assumptions.items():
            path: Path = ("assumptions", name)
            labels = self.labels.get(name)
            scope = Scope(symbols=self.assumption_symbols, labels=self.labels)
            value = self.read(table.value, (*path, "value"), f"value of assumption {name}", scope, labels or "number")
            source = self.check_source(table, path)
            if table.basis != "assumed" and not source:
                self.note(
                    (*path, "basis"),
                    "no-source",
                    f"assumption {name} is {table.basis} but cites nothing",
                    'source = "¶…"',
                    'or say basis = "assumed"',
                )
            choices = self.read_choices(name, table.choices, labels)
            bounds = (table.range[0], table.range[1]) if table.range else None
            if bounds and not (math.isfinite(bounds[0]) and math.isfinite(bounds[1]) and bounds[0] <= bounds[1]):
                self.note(
                    (*path, "range"),
                    "bad-range",
                    f"range of assumption {name} is [{bounds[0]:g}, {bounds[1]:g}]",
                    "two finite numbers, the lower first",
                )
            if bounds and choices:
                self.note((*path, "range"), "bad-range", f"assumption {name} has a range and choices", "one of them")
            number = value.constant
            if number is not None and bounds and not bounds[0] <= number <= bounds[1]:
                self.note(
                    (*path, "value"),
                    "outside-range",
                    f"value {number:g} of assumption {name} is outside its range",
                    f"{bounds[0]:g} to {bounds[1]:g}",
                )
            if number is not None and choices and number not in choices and not labels:
                self.note(
                    (*path, "value"),
                    "outside-range",
                    f"value {number:g} of assumption {name} is not among its choices",
                    ", ".join(f"{choice:g}" for choice in choices),
                )
            out[name] = Assumption(
                id=name,
                value=value,
                range=bounds,
                choices=choices,
                labels=labels,
                basis=table.basis,
                source=source,
                note=table.note,
            )
        for name in in_order(out)[1]:
            self.note(
                ("assumptions", name, "value"),
                "circular",
                f"assumption {name} is computed from itself",
                advice="break the circle",
            )
        return out

    def read_choices(self, name: str, choices: list[Any] | None, labels: Labels | None) -> tuple[float, ...] | None:
        """Check the choices of a categorical assumption."""
        if choices is None:
            return None
        path: Path = ("assumptions", name, "choices")
        if not choices:
            self.note(path, "empty-choices", f"assumption {name} has no choices", "at least one")
        if len(set(map(str, choices))) < len(choices):
            self.note(path, "duplicate-id", f"assumption {name} lists a choice twice", advice="remove one")
        if labels:
            return tuple(float(index) for index in range(len(choices)))
        if not all(isinstance(choice, (int, float)) for choice in choices):
            self.note(
                path, "wrong-type", f"choices of assumption {name} mix numbers and labels", "all numbers or all labels"
            )
            return None
        return tuple(float(choice) for choice in choices)

    # -- variables ------------------------------------------------------------------------------------------------------------------

    def read_variables(self) -> tuple[Variable, ...]:
        """Read the state variables, ladders first so that scales find them."""
        for name, table in self.file.state.items():
            if table.ladder or table.values:
                self.labels[name] = Labels(name, tuple(table.ladder or table.values or ()), ordered=bool(table.ladder))
        out: list[Variable] = []
        for name, table in self.file.state.items():
            variable = self.read_variable(name, table)
            if variable:
                out.append(variable)
        return tuple(out)

    def read_variable(self, name: str, table: StateTable) -> Variable | None:
        """Read one state variable."""
        path: Path = ("state", name)
        kinds = [
            kind for kind in ("ladder", "values", "range", "flag", "scale") if getattr(table, kind) not in (None, False)
        ]
        if len(kinds) != 1:
            found = " and ".join(kinds) or "none of the five kinds"
            self.note(
                path,
                "bad-variable",
                f"variable {name} has {found}",
                "exactly one of ladder, values, range, flag = true, scale",
            )
            self.symbols[name] = Symbol("variable", "unknown")
            return None
        kind, low, size, labels = kinds[0], 0, 2, self.labels.get(name)
        if labels:
            size = len(labels.values)
            for label in labels.values:
                self.check_id((*path, kind), label)
            if len(set(labels.values)) < size:
                self.note((*path, kind), "duplicate-id", f"variable {name} lists a label twice", advice="rename one")
        elif kind == "range" and table.range:
            low, size = table.range[0], table.range[1] - table.range[0] + 1
            if not 1 <= size <= MAX_VALUES:
                self.note(
                    (*path, "range"),
                    "bad-range",
                    f"range of variable {name} is [{table.range[0]}, {table.range[1]}]",
                    f"two integers, the lower first, at most {MAX_VALUES} values",
                )
                size = 1
        elif kind == "scale":
            labels = self.labels.get(str(table.scale))
            if not labels or not labels.ordered:
                ladders = [other for other, found in self.labels.items() if found.ordered]
                self.note(
                    (*path, "scale"),
                    "unknown-name",
                    f"variable {name} takes the scale of '{table.scale}', which is not a ladder",
                    advice=did_you_mean(str(table.scale), ladders),
                )
                labels = Labels(name, ("?",), ordered=True)
            size = len(labels.values)
            self.labels[name] = labels
        value_type: Type = "truth" if kind == "flag" else (labels or "number")
        scope = Scope(symbols=self.assumption_symbols, labels=self.labels)
        start = self.read(table.start, (*path, "start"), f"start of variable {name}", scope, value_type)
        constant = start.constant
        if constant is not None and not (low <= constant < low + size and constant == int(constant)):
            self.note(
                (*path, "start"),
                "outside-range",
                f"start {constant:g} of variable {name} is outside its range",
                f"an integer from {low} to {low + size - 1}",
            )
        self.symbols[name] = Symbol("variable", value_type)
        return Variable(
            id=name,
            kind=kind,
            low=low,
            size=size,
            labels=labels,
            start=start,
            clip=table.clip,
            note=table.note,
            source=self.check_source(table, path),
        )

    # -- scopes ---------------------------------------------------------------------------------------------------------------------

    def scopes(self) -> None:
        """Fix what may be read where."""
        clock = {word: Symbol("clock", "number") for word in ("round", "rounds_left")}
        hints = dict.fromkeys(("each_round", "discount"), "it can be read in a final payoff only")
        hints |= {"mover": "it can be read in moves only", "chosen": "write chosen.name"}
        hints |= {name: "a player's id can be compared with mover only" for name in self.file.players}
        self.state_scope = Scope(
            symbols={**self.symbols, **self.assumption_symbols, **clock}, labels=self.labels, hints=hints
        )
        final = {word: Symbol("special", "number") for word in ("each_round", "discount")}
        self.final_scope = Scope(
            symbols={**self.state_scope.symbols, **final}, labels=self.labels, annuity=True, hints=hints
        )
        self.plain_scope = Scope(
            symbols=self.assumption_symbols,
            labels=self.labels,
            hints={**hints, **dict.fromkeys((*self.symbols, *clock), "only assumptions can be read here")},
        )
        moves = frozenset(self.file.moves) | {move.group for move in self.file.moves.values() if move.group}
        self.path_scope = Scope(
            symbols=self.state_scope.symbols,
            labels=self.labels,
            moves=moves,
            players=frozenset(self.file.players),
            path=True,
            hints=hints,
        )

    def choice_scope(self, move: MoveTable, path: Path) -> Scope:
        """Add a move's choices and its mover to what its expressions may read."""
        players = Labels("mover", tuple(self.file.players))
        symbols = {**self.state_scope.symbols, "mover": Symbol("choice", players)}
        hints = {
            word: hint
            for word, hint in self.state_scope.hints.items()
            if word not in self.file.players and word != "mover"
        }
        labels = dict(self.labels)
        for key, options in move.choose.items():
            if not options:
                self.note(
                    (*path, "choose", key),
                    "empty-choices",
                    f"choice {key} of {path[-1]} is empty",
                    "at least one option",
                )
            symbols[f"chosen.{key}"] = Symbol("choice", self.choice_type(key, options, path))
            if key not in symbols:
                symbols[key] = Symbol("choice", symbols[f"chosen.{key}"].type)
        return Scope(symbols=symbols, labels=labels, hints=hints)

    def choice_type(self, key: str, options: list[Any], path: Path) -> Type:
        """Find the type of a choice: its variable's, or that of its options."""
        if key in self.symbols:
            return self.symbols[key].type
        if options and all(isinstance(option, str) for option in options):
            return Labels(key, tuple(options))
        if not all(isinstance(option, (int, float)) for option in options):
            self.note(
                (*path, "choose", key),
                "wrong-type",
                f"choice {key} of {path[-1]} mixes numbers and labels",
                "all numbers or all labels",
            )
            return "unknown"
        return "number"

    # -- moves and chance -------------------------------------------------------------------------------------------------------------

    def read_effects(self, effects: Mapping[str, Any], path: Path, owner: str, scope: Scope) -> dict[str, Expression]:
        """Read the right-hand sides of a move or outcome."""
        out: dict[str, Expression] = {}
        for name, text in effects.items():
            place: Path = (*path, "effects", name)
            if self.unknown(place, f"effect of {owner}", name, self.symbols, "a state variable"):
                continue
            out[name] = self.read(text, place, f"effect of {owner} on {name}", scope, self.symbols[name].type)
        return out

    def read_pays(
        self, pays: Mapping[str, Any], path: Path, owner: str, scope: Scope, word: str = "pays"
    ) -> dict[str, Expression]:
        """Read what players are paid, or believe."""
        out: dict[str, Expression] = {}
        for name, text in pays.items():
            place: Path = (*path, word, name)
            if not self.unknown(place, f"'{word}' of {owner}", name, self.file.players, "a player"):
                out[name] = self.read(text, place, f"'{word}' of {owner} for {name}", scope, "number")
        return out

    def read_branches(self, tables: list[OutcomeTable], path: Path, owner: str, scope: Scope) -> tuple[Branch, ...]:
        """Read the outcomes of chance or of an uncertain move."""
        out: list[Branch] = []
        for index, table in enumerate(tables):
            place: Path = (*path, "outcomes", index)
            label = table.label or str(index + 1)
            whole = f"outcome {label} of {owner}"
            if label in {branch.label for branch in out}:
                self.note(place, "duplicate-id", f"{owner} has two outcomes labelled '{label}'", advice="rename one")
            out.append(
                Branch(
                    label=label,
                    probability=self.read(
                        table.probability, (*place, "probability"), f"probability of {whole}", scope, "number"
                    ),
                    believes=self.read_pays(table.believes, place, whole, scope, "believes"),
                    effects=self.read_effects(table.effects, place, whole, scope),
                    pays=self.read_pays(table.pays, place, whole, scope),
                    ends=table.ends,
                    place=".".join(map(str, place)),
                    source=self.check_source(table, place),
                )
            )
        return tuple(out)

    def read_moves(self) -> tuple[Action, ...]:
        """Read the moves, one action for each combination of choices."""
        out: list[Action] = []
        for name, move in self.file.moves.items():
            path: Path = ("moves", name)
            for player in move.player:
                self.unknown((*path, "player"), f"move {name}", player, self.file.players, "a player")
            if move.outcomes and (move.effects or move.ends):
                self.note(
                    path,
                    "bad-move",
                    f"move {name} has outcomes beside effects or ends",
                    "one or the other",
                    "put effects and ends into the outcomes",
                )
            scope = self.choice_scope(move, path)
            guard = self.read(move.when, (*path, "when"), f"guard of {name}", scope, "truth")
            effects = self.read_effects(move.effects, path, name, scope)
            pays = self.read_pays(move.pays, path, name, scope)
            branches = self.read_branches(move.outcomes, path, name, scope)
            source = self.check_source(move, path)
            if math.prod(len(options) for options in move.choose.values()) > MAX_ACTIONS:
                self.note(
                    (*path, "choose"),
                    "too-many-actions",
                    f"move {name} makes too many actions",
                    f"at most {MAX_ACTIONS} combinations",
                )
                continue
            for combination in itertools.product(*move.choose.values()):
                chosen = dict(zip(move.choose, combination, strict=True))
                label = name + "".join(
                    f"{'/' if not place else ','}{key}={_show(value)}"
                    for place, (key, value) in enumerate(chosen.items())
                )
                numbers, settings = self.read_chosen(chosen, path, scope)
                extra = {
                    key: setting for key, setting in settings.items() if key not in effects and key in self.symbols
                }
                out.append(
                    Action(
                        move=name,
                        label=label,
                        name=move.name or name.replace("_", " "),
                        players=tuple(move.player),
                        guard=guard,
                        effects={**effects, **extra},
                        pays=pays,
                        branches=branches,
                        chosen=numbers,
                        group=move.group or (name if move.choose else ""),
                        ends=move.ends,
                        place=".".join(map(str, path)),
                        source=source,
                        note=move.note,
                    )
                )
        return tuple(out)

    def read_chosen(
        self, chosen: Mapping[str, Any], path: Path, scope: Scope
    ) -> tuple[dict[str, float], dict[str, Expression]]:
        """Turn one combination of choices into numbers and into settings of variables."""
        numbers: dict[str, float] = {}
        settings: dict[str, Expression] = {}
        for key, value in chosen.items():
            kind = scope.symbols[f"chosen.{key}"].type
            expression = self.read(
                value,
                (*path, "choose", key),
                f"choice {key} of {path[-1]}",
                Scope(symbols={}, labels=self.labels),
                kind,
            )
            number = expression.constant or 0.0
            numbers[f"chosen.{key}"] = number
            numbers[key] = number
            settings[key] = Expression(str(value), Node("const", kind, value=number), frozenset())
        return {key: number for key, number in numbers.items() if key not in self.symbols}, settings

    def read_chance(self) -> dict[str, tuple[Case, ...]]:
        """Read the chance events."""
        out: dict[str, tuple[Case, ...]] = {}
        for name, tables in self.file.chance.items():
            cases: list[Case] = []
            for index, table in enumerate(tables):
                path: Path = ("chance", name, index)
                self.check_source(table, path)
                guard = self.read(table.when, (*path, "when"), f"guard of event {name}", self.state_scope, "truth")
                branches = self.read_branches(table.outcomes, path, f"event {name}", self.state_scope)
                cases.append(Case(event=name, guard=guard, branches=branches, place=".".join(map(str, path))))
            out[name] = tuple(cases)
        return out

    # -- players, turns, questions, history ---------------------------------------------------------------------------------------------

    def read_players(self) -> tuple[Player, ...]:
        """Read the players with their payoffs."""
        for name in self.file.payoffs:
            self.unknown(("payoffs", name), "[payoffs]", name, self.file.players, "a player")
        out: list[Player] = []
        for name, table in self.file.players.items():
            path: Path = ("players", name)
            discount = self.read(table.discount, (*path, "discount"), f"discount of {name}", self.plain_scope, "number")
            if discount.constant is not None and not 0 <= discount.constant <= 1:
                self.note(
                    (*path, "discount"),
                    "outside-range",
                    f"discount of {name} is {discount.constant:g}",
                    "a number from 0 to 1",
                )
            payoff = self.file.payoffs.get(name)
            if payoff is None:
                self.warnings.append(
                    self.at(path, "no-payoff", f"player {name} has no payoff", advice=f"write [payoffs.{name}]")
                )
            place: Path = ("payoffs", name)
            terms = {
                term: self.read(
                    text,
                    (*place, "each_round", term),
                    f"payoff of {name}" if term == "payoff" else f"payoff of {name} ({term})",
                    self.state_scope,
                    "number",
                )
                for term, text in (payoff.each_round if payoff else {}).items()
            }
            final = self.read(
                payoff.final if payoff else 0.0,
                (*place, "final"),
                f"final payoff of {name}",
                self.final_scope,
                "number",
            )
            out.append(
                Player(
                    id=name,
                    name=table.name or name,
                    discount=discount,
                    terms=terms,
                    final=final,
                    note=table.note,
                    source=self.check_source(table, path),
                )
            )
        return tuple(out)

    def read_turns(self) -> tuple[Turn, ...]:
        """Read the order of play in a round."""
        out: list[Turn] = []
        for index, table in enumerate(self.file.turns):
            path: Path = ("turns", index)
            if (table.player is None) == (not table.chance):
                self.note(
                    path,
                    "bad-turn",
                    f"turn {index + 1} has {'player and chance' if table.player else 'neither player nor chance'}",
                    "exactly one of them",
                )
            if table.player:
                self.unknown((*path, "player"), f"turn {index + 1}", table.player, self.file.players, "a player")
                if not any(table.player in move.player for move in self.file.moves.values()):
                    self.note(
                        (*path, "player"),
                        "no-move",
                        f"player {table.player} has a turn but no move",
                        advice=f"write a move with player = '{table.player}'",
                    )
            for event in table.chance or ():
                self.unknown((*path, "chance"), f"turn {index + 1}", event, self.file.chance, "a chance event")
            for number in table.in_rounds or ():
                if not 1 <= number <= self.file.rounds:
                    self.note(
                        (*path, "in_rounds"),
                        "outside-range",
                        f"turn {index + 1} comes in round {number}",
                        f"1 to {self.file.rounds}",
                    )
            rounds = frozenset(table.in_rounds) if table.in_rounds is not None else None
            out.append(Turn(player=table.player or "", events=tuple(table.chance or ()), rounds=rounds))
        scheduled = {event for turn in out for event in turn.events}
        for event in self.file.chance:
            if event not in scheduled:
                self.warnings.append(
                    self.at(
                        ("chance", event),
                        "unused",
                        f"chance event {event} is in no turn",
                        advice="name it in [[turns]]",
                    )
                )
        return tuple(out)

    def read_clock(self) -> tuple[str, ...]:
        """Read the dates at which rounds start."""
        starts = tuple(self.file.clock.starts) if self.file.clock else ()
        if starts and (
            len(starts) != self.file.rounds
            or any(not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", start) for start in starts)
            or list(starts) != sorted(set(starts))
        ):
            self.note(
                ("clock", "starts"),
                "bad-clock",
                f"the clock has {len(starts)} starts",
                f"{self.file.rounds} rising dates 'YYYY-MM', one a round",
            )
        return starts

    def read_history(self, actions: tuple[Action, ...], clock: tuple[str, ...]) -> tuple[Record, ...]:
        """Read the recorded history."""
        out: list[Record] = []
        for index, table in enumerate(self.file.history):
            path: Path = ("history", index)
            number = self.round_of(table, clock, path)
            if bool(table.move) == bool(table.event):
                self.note(
                    path,
                    "bad-record",
                    f"record {index + 1} has {'move and event' if table.move else 'neither move nor event'}",
                    "exactly one of them",
                )
                continue
            action = self.recorded_action(table, actions, path) if table.move else ""
            player = table.player or next((found.players[0] for found in actions if found.label == action), "")
            label = self.recorded_event(table, path) if table.event else ""
            if out and number < out[-1].round:
                self.note(
                    path,
                    "bad-record",
                    f"record {index + 1} comes after a later one",
                    "records in the order in which they happened",
                )
            out.append(
                Record(
                    date=table.date,
                    round=number,
                    player=player if table.move else "",
                    action=action,
                    event=table.event,
                    label=label,
                    place=".".join(map(str, path)),
                    source=self.check_source(table, path),
                    note=table.note,
                )
            )
        return tuple(out)

    def round_of(self, table: RecordTable, clock: tuple[str, ...], path: Path) -> int:
        """Find the round of a record."""
        if table.round is not None:
            if not 1 <= table.round <= self.file.rounds:
                self.note(
                    (*path, "round"), "outside-range", f"a record is in round {table.round}", f"1 to {self.file.rounds}"
                )
            return table.round
        before = [number for number, start in enumerate(clock, 1) if start <= table.date[:7]]
        if not table.date or not before:
            self.note(
                path,
                "bad-record",
                f"a record has {f'the date {table.date}, before the first round' if table.date and clock else 'no round'}",
                "round = N, or a date with [clock] starts",
            )
            return 1
        return before[-1]

    def recorded_action(self, table: RecordTable, actions: tuple[Action, ...], path: Path) -> str:
        """Find the action that a record names."""
        if self.unknown((*path, "move"), "history", table.move, self.file.moves, "a move"):
            return ""
        players = self.file.moves[table.move].player
        if table.player and table.player not in players:
            self.note(
                (*path, "player"), "bad-record", f"history says {table.player} made {table.move}", " or ".join(players)
            )
        if not table.player and len(players) > 1:
            self.note(
                path,
                "bad-record",
                f"history does not say who made {table.move}",
                f"player = one of {', '.join(players)}",
            )
        labels = [action.label for action in actions if action.move == table.move]
        wanted = table.move + "".join(
            f"{'/' if not place else ','}{key}={_show(table.choose.get(key, '?'))}"
            for place, key in enumerate(self.file.moves[table.move].choose)
        )
        if labels and wanted not in labels:
            self.note(path, "bad-record", f"history records {wanted}", f"choose = one of {', '.join(labels[:6])}")
            return labels[0]
        return wanted

    def recorded_event(self, table: RecordTable, path: Path) -> str:
        """Find the outcome of an event that a record names."""
        if self.unknown((*path, "event"), "history", table.event, self.file.chance, "a chance event"):
            return ""
        labels = [
            outcome.label or str(index + 1)
            for case in self.file.chance[table.event]
            for index, outcome in enumerate(case.outcomes)
        ]
        self.unknown((*path, "label"), f"record of {table.event}", table.label, labels, f"an outcome of {table.event}")
        return table.label

    def warn_unused(self, assumptions: Mapping[str, Assumption]) -> None:
        """Warn of what is declared and never read."""
        effects = {
            name for move in self.file.moves.values() for table in (move, *move.outcomes) for name in table.effects
        }
        for name in self.file.state:
            if name not in self.used:
                what = "is written but never read" if name in effects else "is never used"
                self.warnings.append(
                    self.at(
                        ("state", name),
                        "unused",
                        f"variable {name} {what}",
                        advice="remove it, or let a payoff read it",
                    )
                )
        for name in assumptions:
            if name not in self.used:
                self.warnings.append(
                    self.at(("assumptions", name), "unused", f"assumption {name} is never used", advice="remove it")
                )

    def scenario(self) -> Scenario | None:
        """Resolve everything; None if there are problems."""
        self.check_ids()
        assumptions = self.read_assumptions()
        variables = self.read_variables()
        self.scopes()
        actions, chance = self.read_moves(), self.read_chance()
        players, turns, clock = self.read_players(), self.read_turns(), self.read_clock()
        forbid = tuple(
            self.read(text, ("forbid", index), f"forbid {index + 1}", self.state_scope, "truth")
            for index, text in enumerate(self.file.forbid)
        )
        questions = {
            name: Question(
                id=name, expression=self.read(text, ("outcomes", name), f"outcome {name}", self.path_scope, "unknown")
            )
            for name, text in self.file.outcomes.items()
        }
        for name, question in questions.items():
            if not question.expression.atoms and not any(
                problem.place == f"outcomes.{name}" for problem in self.problems
            ):
                self.note(
                    ("outcomes", name),
                    "path-operator",
                    f"outcome {name} asks nothing of the path",
                    f"one of {', '.join(PATH_OPERATORS)}",
                )
        history = self.read_history(actions, clock)
        self.warn_unused(assumptions)
        if self.problems:
            return None
        return Scenario(
            title=self.file.title,
            note=self.file.note,
            file=self.name,
            rounds=self.file.rounds,
            players=players,
            assumptions=assumptions,
            variables=variables,
            turns=turns,
            actions=actions,
            chance=chance,
            forbid=forbid,
            questions=questions,
            history=history,
            clock=clock,
            citation=self.file.source.model_dump(),
            document=self.document,
            places=self.lines,
            warnings=tuple(self.warnings),
        )


def _show(value: Any) -> str:
    """Write a choice in a label."""
    return str(value).lower() if isinstance(value, bool) else (f"{value:g}" if isinstance(value, float) else str(value))
