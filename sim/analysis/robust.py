"""Robust choice among the moves at one state: which of them is best in the worst case, and which is least regretted.

The state is the decision to which the recorded history leads. In every variant all others, and the mover's own later selves, play that variant's
equilibrium after the move. What varies are beliefs, chance and the others' parameters: what the mover's own payoffs read stays, so that worst cases mean
one thing, and so does what shapes the game, since another game is another state. Extremes of drawn variants are bounds ("at least this bad").
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.asker import Asker
from sim.analysis.choices import choosers
from sim.analysis.designs import Vary
from sim.analysis.exploring import base_of, factor_facts, row_of, told
from sim.analysis.factors import column
from sim.analysis.follow import situations
from sim.analysis.plan import ConceptSpec
from sim.analysis.rules import RULES, SAME, judge
from sim.analysis.sides import Asked
from sim.analysis.survey import Survey
from sim.analysis.unknowns import free_factors, own_assumptions, variants_of
from sim.analysis.unroll import unrolled
from sim.errors import NoAnswerError, OptionError
from sim.scenario.values import assumption_values, show_assumption, structural
from sim.solve.registry import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.analysis.factors import Column, Factor
    from sim.analysis.rules import Verdict
    from sim.analysis.survey import Case
    from sim.kinds import Bools, Floats, Ints
    from sim.scenario.model import Scenario

__all__ = ["Robust", "Spec", "find", "planned", "read_place"]

PRESSES = 4
"""How often worst cases are pressed: every assumption alone to its ends, then all that make it worse together."""


class Spec(BaseModel):
    """What is asked of a robust choice.

    Examples
    --------
    >>> Spec(at="2016-10:russia").samples
    1024
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["robust"] = "robust"
    at: str = Field(default="", description="DATE or DATE:PLAYER: the decision; by default the first of the game")
    concept: str = Field(default="", description="label of a concept of the experiment; its first by default")
    arm: str = Field(default="", description="name of an arm of the experiment")
    vary: Vary = Field(
        default="all",
        description="'all': what neither the mover's own payoffs read nor shapes the game; a list of names, or a table from names to ranges",
    )
    fixed: list[str] = Field(default_factory=list[str], description="what 'all' leaves out beside that")
    rows: list[dict[str, Any]] = Field(
        default_factory=list[dict[str, Any]], description="instead of drawing: the variants, listed"
    )
    samples: int = Field(default=1024, ge=1, description="variants that are drawn, a power of 2")
    corners: bool = Field(
        default=True, description="also extreme variants, all if they are few, and worst cases that are pressed"
    )
    alpha: float = Field(
        default=0.5, ge=0, le=1, description="Hurwicz: weight of the worst case; the best has the rest"
    )
    level: float | None = Field(default=None, description="a move satisfies where it is worth at least so much")
    tolerance: float = Field(default=0.0, ge=0, description="without a level: where its regret is at most so much")
    measure: Literal["uniform", "dirichlet"] = Field(default="uniform", description="of orders")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Robust:
    """What the rules say of the moves at one state.

    Attributes
    ----------
    spec, seed, scenario, concept
        What was asked of what.
    player, state
        Who chooses, and the values of the variables there where nothing varies.
    labels, groups
        The moves that can be made in every variant compared, then those in some; the group of each, or an empty text.
    verdict
        What the rules say, by move.
    base
        What each is worth where nothing varies, (a,).
    columns, origin
        The variants compared; the verdict's rows are theirs. And what varies where nothing does.
    factors, held
        What varied, and what did not by default: ``own``, ``shaping``, ``fixed``.
    own
        What of the mover's own payoffs varied: then all values are in units of the range of his payoffs in their variant.
    complete
        Whether the variants are all that were asked for, so that worst cases are worst cases.
    counts
        How many variants: ``drawn``, ``corners``, ``pressed``, ``compared``, ``uncertified``, ``elsewhere``.
    solves
        How many were solved.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(rows=[{"cost_of_war": 0}, {"cost_of_war": 3}])
    >>> kept = dict(concept="subgame_perfect", options={}, case=Case())
    >>> find(spec, scenario=sim.load(sim.template()), **kept).record()["facts"]["maximin"]
    'hold'
    """

    spec: Spec
    scenario: str
    concept: str
    player: str
    state: Mapping[str, Any]
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    verdict: Verdict
    base: Floats
    columns: Mapping[str, Column] = field(repr=False)
    origin: Mapping[str, Any]
    factors: tuple[Mapping[str, Any], ...]
    held: Mapping[str, tuple[str, ...]]
    own: tuple[str, ...]
    complete: bool
    all_corners: bool
    counts: Mapping[str, int]
    seed: int
    solves: int

    def record(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "kind": "robust",
            "scenario": self.scenario,
            "concept": self.concept,
            "at": self.spec.at,
            "player": self.player,
            "state": dict(self.state),
            "units": "own range" if self.own else "payoff",
            "own_varied": list(self.own),
            "held": {name: list(names) for name, names in self.held.items()},
            "factors": [dict(one) for one in self.factors],
            "base": dict(self.origin),
            "variants": dict(self.counts),
            "complete": self.complete,
            "all_corners": self.all_corners,
            "bounds": not self.complete,
            "samples": None if self.complete else self.spec.samples,
            "seed": self.seed,
            "rules": {
                name: {
                    "winners": [self.labels[move] for move in self.verdict.winners[name]],
                    **{"hurwicz": {"alpha": self.spec.alpha}, "satisficing": self._satisfying()}.get(name, {}),
                }
                for name in RULES
            },
            "moves": [self._move(place) for place in range(len(self.labels))],
            "facts": self.facts(),
            "uncertified": self.counts["uncertified"],
            "solves": self.solves,
        }

    def _satisfying(self) -> dict[str, Any]:
        """Say what satisfies."""
        return {"level": self.spec.level, "tolerance": None if self.spec.level is not None else self.spec.tolerance}

    def _at(self, row: int) -> dict[str, Any] | None:
        """Return a variant's values."""
        return None if row < 0 else row_of(self.columns, row)

    def _move(self, place: int) -> dict[str, Any]:
        """Return what is said of one move."""
        v = self.verdict
        by = int(v.dominated[place])
        return {
            "name": self.labels[place],
            "group": self.groups[place],
            **told(
                {
                    "available": v.available[place],
                    "base": self.base[place],
                    "worst": v.worst[place],
                    "quartiles": v.quartiles[:, place],
                    "best": v.best[place],
                    "mean": v.mean[place],
                    "regret": v.regret[place],
                    "regret_quartiles": v.regret_quartiles[:, place],
                    "share_best": v.share_best[place],
                    "satisfies": v.satisfies[place],
                    "hurwicz": v.ranges[place],
                }
            ),
            "worst_at": self._at(int(v.worst_row[place])),
            "best_at": self._at(int(v.best_row[place])),
            "regret_at": self._at(int(v.regret_row[place])),
            "dominated_by": self.labels[by] if by >= 0 else None,
        }

    def facts(self) -> dict[str, Any]:
        """Return what sentences are made of."""
        v, out = self.verdict, dict[str, Any]()
        for place, label in enumerate(self.labels):
            if math.isnan(v.worst[place]):
                continue
            name = _word(label)
            for key, values in (
                ("worst", v.worst), ("best", v.best), ("regret", v.regret), ("mean", v.mean), ("satisfies", v.satisfies),
                ("share_best", v.share_best), ("base", self.base),
            ):  # fmt: skip
                out[f"{key}_{name}"] = told(float(values[place]))
            out[f"dominated_{name}"] = bool(v.dominated[place] >= 0)
        for rule in RULES:
            winners = v.winners[rule]
            out[rule] = ", ".join(self.labels[move] for move in winners)
            for group in dict.fromkeys(group for group in self.groups if group):
                out[f"{rule}_in_{group}"] = all(self.groups[move] == group for move in winners)
        robust = [set(v.winners[rule]) for rule in RULES[:-1]]
        common = sorted(set.intersection(*robust))
        first = v.winners["maximin"][0], v.winners["minimax_regret"][0]
        return {
            **out,
            "agree": bool(common),
            "agreed": ", ".join(self.labels[move] for move in common),
            "maximin_value": told(float(v.worst[first[0]])),
            "minimax_regret_value": told(float(v.regret[first[1]])),
            "moves": int((~np.isnan(v.worst)).sum()),
            "dominated": int((v.dominated >= 0).sum()),
            "compared": self.counts["compared"],
            "uncertified": self.counts["uncertified"],
            "complete": self.complete,
            "solves": self.solves,
        }


def _word(label: str) -> str:
    """Make of a label what the name of a fact may hold."""
    return re.sub(r"\W+", "_", label).strip("_")


# -- the state ----------------------------------------------------------------------------------------------------------------------------


def read_place(at: str) -> tuple[str, str]:
    """Read ``DATE`` or ``DATE:PLAYER``.

    Examples
    --------
    >>> read_place("2016-10:russia"), read_place("")
    (('2016-10', 'russia'), ('', ''))
    """
    date, _, player = at.partition(":")
    return date.strip(), player.strip()


def _mover(
    scenario: Scenario, concept: str, options: Mapping[str, Any], case: Case, at: str
) -> tuple[str, dict[str, Any]]:
    """Say who chooses at the decision, and in which state; of an endless game its first rounds."""
    date, player = read_place(at)
    if player and player not in scenario.player_ids:
        raise OptionError(f"'{player}' is not a player; known: {', '.join(scenario.player_ids)}")
    survey = Survey(scenario, [case], [ConceptSpec.model_validate({"concept": concept, **options})], outcomes=[])
    solution = solve(survey.game(case, {}), concept, **options)
    if not solution.status.certified:
        if player:
            return player, {}
        raise NoAnswerError(
            f"{concept} has no certified answer where nothing varies, so nobody knows who moves; name the player"
        )
    whole = unrolled(solution)
    node = int(situations(whole, date or None, player)[0][0])
    graph, origin = whole.game.graph, whole.game.origin
    mover = player or graph.players[choosers(graph, graph.layer_of(node))[0]]
    return mover, dict(origin.codec.labelled(int(graph.node_key[node])))


# -- finding ------------------------------------------------------------------------------------------------------------------------------


def planned(spec: Spec, *, scenario: Scenario, case: Case) -> int:
    """Say how many variants are solved before worst cases are pressed.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> planned(Spec(at=":challenger", vary=["prize"], samples=64), scenario=sim.load(sim.template()), case=Case())
    67
    """
    player = read_place(spec.at)[1]
    if not spec.rows and player not in scenario.player_ids:  # who moves is known when the base is solved
        return 2 * spec.samples + 1
    factors = () if spec.rows else free_factors(spec, scenario, case, player)[0]
    return variants_of(spec, scenario, factors, 0).design.count + 1


def find(
    spec: Spec, *, scenario: Scenario, concept: str, options: Mapping[str, Any], case: Case, seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Robust:  # fmt: skip
    """Find which moves are robust.

    Parameters
    ----------
    spec
        What is asked.
    scenario, concept, options, case
        Of what.
    seed
        Of what is drawn.
    progress
        Called with the number of variants just solved.

    Raises
    ------
    OptionError
        For unknown names, nothing that varies, and no move that is available in every variant.
    NoAnswerError
        If no variant has a certified answer.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> kept = dict(concept="subgame_perfect", options={}, case=Case())
    >>> found = find(Spec(at="2016-10:russia", samples=8, corners=False), scenario=sim.load("scenarios/rock_bottom.toml"), **kept)
    >>> found.player, len(found.labels), found.counts["compared"]
    ('russia', 8, 9)
    """
    player, state = _mover(scenario, concept, options, case, spec.at)
    nothing: dict[str, tuple[str, ...]] = {"own": (), "shaping": (), "fixed": ()}
    factors, held = ((), nothing) if spec.rows else free_factors(spec, scenario, case, player)
    rows = variants_of(spec, scenario, factors, seed)
    names = rows.design.names
    own = tuple(name for name in own_assumptions(scenario, player) if name in names)
    table = _Table.of(scenario, concept, options, case, spec.at, player, own=bool(own), progress=progress)
    shaped = {*structural(scenario), "rounds", "start"} & set(names)
    columns = rows.design.rows(0, rows.design.count)
    base = _base(scenario, case, names, options) if rows.complete else base_of(scenario, case, factors, options)
    if not rows.complete:
        columns = {name: np.append(values, column([base[name]], name)) for name, values in columns.items()}
    count = len(next(iter(columns.values())))
    origin = table.ask({}, 1)
    node = math.nan if shaped else float(origin.node[0])
    values = table.ask(columns, count)
    some = np.arange(count) < rows.counted
    kept = table.kept(values, node)
    if not (kept & some).any():
        raise NoAnswerError(f"{concept} has no certified answer at this state in any of {rows.counted:,} variants")
    size = 1.0 if own else float(np.nanmax(values.range[kept]))
    pool = _Pool(columns=columns, values=values, kept=kept, size=size)
    if not rows.complete and spec.corners:
        pool = _press(table, factors, pool, base, node)
    kept = pool.kept
    some = np.arange(len(kept)) < rows.counted
    order, groups = _seen(scenario, table, pool.values.worth[kept])
    verdict = judge(
        pool.values.worth[kept][:, order], alpha=spec.alpha, level=spec.level, tolerance=spec.tolerance, tie=SAME * size, counted=some[kept],
        burden=pool.burden(base)[kept],
    )  # fmt: skip
    lost = np.isnan(pool.values.worth).all(axis=1)
    return Robust(
        spec=spec, scenario=scenario.title, concept=concept, player=player, state=state,
        labels=tuple(table.labels[k] for k in order), groups=groups, verdict=verdict, base=origin.worth[0, order],
        columns={name: one[kept] for name, one in pool.columns.items()}, origin={name: base[name] for name in names if name in base},
        factors=tuple(factor_facts(scenario, one) for one in factors), held=held, own=own, complete=rows.complete,
        all_corners=rows.all_corners,
        counts={
            "drawn": rows.counted, "corners": rows.corners, "pressed": len(kept) - count, "compared": int(kept.sum()), "counted": int((kept & some).sum()),
            "uncertified": int(lost.sum()), "elsewhere": int((~kept & ~lost).sum()),
        },
        seed=seed, solves=table.asked.ask.solves,
    )  # fmt: skip


def _base(scenario: Scenario, case: Case, names: Sequence[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what varies where nothing does; what is no assumption and no option has no base."""
    found = assumption_values(scenario, case.set)
    known = {
        name: show_assumption(scenario.assumptions[name], float(found[name][0])) for name in names if name in found
    }
    return {**known, **{name: options[name] for name in names if name in options}}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Values:
    """Answers: what every action is worth, (v, a), the range of the mover's payoffs and the node, (v,)."""

    worth: Floats
    range: Floats
    node: Floats

    def more(self, other: _Values) -> _Values:
        """Put others behind."""
        return _Values(
            worth=np.concatenate([self.worth, other.worth]),
            range=np.concatenate([self.range, other.range]),
            node=np.concatenate([self.node, other.node]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Asks what every action of the mover is worth, all of one solve."""

    asked: Asked
    labels: tuple[str, ...]
    own: bool

    @classmethod
    def of(
        cls, scenario: Scenario, concept: str, options: Mapping[str, Any], case: Case, at: str, player: str, *, own: bool,
        progress: Callable[[int], None] | None,
    ) -> _Table:  # fmt: skip
        """Prepare the questions."""
        date, _ = read_place(at)
        where = f" @ {date}:{player}"
        labels = tuple(dict.fromkeys(one.label for one in scenario.actions if player in one.players))
        questions = [f"range_{player}", f"state({date}:{player})", *(f"worth({label}{where})" for label in labels)]
        asker = Asker(scenario=scenario, questions=questions, concept=concept, options=options, case=case)
        return cls(asked=Asked(ask=asker, tell=progress), labels=labels, own=own)

    def ask(self, columns: Mapping[str, Any], count: int) -> _Values:
        """Ask about variants; in units of own range where own preferences vary."""
        found = self.asked(columns) if columns else self.asked.ask.all({}, count)
        worth: Floats = found[2:].T
        return _Values(worth=worth / found[0][:, None] if self.own else worth, range=found[0], node=found[1])

    def kept(self, values: _Values, node: float) -> Bools:
        """Tell which variants have an answer, at this node unless that is NaN."""
        known: Any = ~np.isnan(values.worth).all(axis=1)
        return known if math.isnan(node) else known & (values.node == node)


def _seen(scenario: Scenario, table: _Table, worth: Floats) -> tuple[list[int], tuple[str, ...]]:
    """Return which actions can be made in some variant, those that can in all first, and the group of each."""
    able = ~np.isnan(worth)
    order = [*np.flatnonzero(able.all(axis=0)).tolist(), *np.flatnonzero(able.any(axis=0) & ~able.all(axis=0)).tolist()]
    groups = {one.label: one.group for one in scenario.actions}
    moves = {one.label: one.move for one in scenario.actions}
    own = [groups[table.labels[k]] for k in order]
    return order, tuple("" if group == moves[table.labels[k]] else group for k, group in zip(order, own, strict=True))


def _press(table: _Table, factors: Sequence[Factor], pool: _Pool, base: Mapping[str, Any], node: float) -> _Pool:
    """Make worst cases worse: from that of each move, change every assumption alone to its ends, then all that make it worse together.

    At last everything that does not matter for a worst case goes back to base, so that it says what it rests on.
    """
    done: set[tuple[int, int, int]] = set()
    ends = [[each for _, each in factor.ends()] for factor in factors]
    for _ in range(PRESSES):
        start = [one for one in _starts(pool, base) if one not in done]
        if not start:
            break
        done |= set(start)
        pool = _changed(table, pool, start, ends, node, worse=True)
    back = [[{name: base[name] for name in factor.names}] for factor in factors]
    done = set()
    for _ in range(PRESSES):
        start = [one for one in _starts(pool, base) if one not in done]
        if not start:
            break
        done |= set(start)
        pool = _changed(table, pool, start, back, node, worse=False)
    return pool


def _changed(
    table: _Table, pool: _Pool, start: Sequence[tuple[int, int, int]], changes: Sequence[Sequence[Mapping[str, Any]]], node: float, *,
    worse: bool,
) -> _Pool:  # fmt: skip
    """Try every change of some rows alone, and those that make a case worse, or no better, together; return the pool with all that was tried."""
    here = {row: row_of(pool.columns, row) for row in dict.fromkeys(row for row, _, _ in start)}
    rows: list[dict[str, Any]] = []
    made: dict[int, list[tuple[int, int]]] = {row: [] for row in here}
    for row, values in here.items():
        for k, some in enumerate(changes):
            for change in some:
                if any(values[name] != value for name, value in change.items()):
                    made[row].append((k, len(rows)))
                    rows.append({**values, **change})
    if not rows:
        return pool
    single = table.ask(_columned(rows), len(rows))
    held, score, now = table.kept(single, node), _scores(single.worth), _scores(pool.values.worth)
    both: list[dict[str, Any]] = []
    for row, kind, move in start:
        limit = now[kind][row, move] + (-SAME if worse else SAME) * pool.size
        best: dict[int, tuple[float, int]] = {}
        for k, at in made[row]:
            found = float(score[kind][at, move])
            if held[at] and found <= limit and found < best.get(k, (np.inf, 0))[0]:
                best[k] = (found, at)
        if len(best) > 1:
            for some in _parts(list(best), whole=worse):
                names = [(name, best[k][1]) for k in some for change in changes[k] for name in change]
                both.append({**here[row], **{name: rows[at][name] for name, at in names}})
    pool = pool.more(rows, single, held)
    if not both:
        return pool
    together = table.ask(_columned(both), len(both))
    return pool.more(both, together, table.kept(together, node))


def _parts(names: list[int], *, whole: bool) -> list[list[int]]:
    """Return a list, and unless it is wanted whole its halves, quarters and eighths."""
    out = [names]
    for parts in () if whole else (2, 4, 8):
        size = -(-len(names) // parts)
        out += [names[at : at + size] for at in range(0, len(names), size)]
    return list({tuple(one): one for one in out}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """All variants asked so far: their values, the answers, and which are compared; ``size`` is the range of payoffs."""

    columns: dict[str, Column]
    values: _Values
    kept: Bools
    size: float

    def more(self, rows: Sequence[Mapping[str, Any]], values: _Values, kept: Bools) -> _Pool:
        """Put others behind."""
        added = _columned(rows)
        return _Pool(
            columns={name: np.append(one, added[name]) for name, one in self.columns.items()},
            values=self.values.more(values),
            kept=np.append(self.kept, kept),
            size=self.size,
        )

    def burden(self, base: Mapping[str, Any]) -> Ints:
        """Count what differs from base in each variant, (v,)."""
        differs = [one != base[name] for name, one in self.columns.items() if name in base]
        return (
            np.asarray(np.sum(differs, axis=0), dtype=np.int32) if differs else np.zeros(len(self.kept), dtype=np.int32)
        )


def _scores(worth: Floats) -> tuple[Floats, Floats]:
    """Return what is pressed down: each move's value, and its regret with the sign turned."""
    top = np.where(np.isnan(worth), -np.inf, worth).max(axis=1)
    return worth, worth - np.where(np.isfinite(top), top, np.nan)[:, None]


def _starts(pool: _Pool, base: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    """Return the rows of each move's worst value and greatest regret, nearest to base among ties: row, which of the two, move."""
    place = np.flatnonzero(pool.kept)
    load = pool.burden(base)[place]
    out: list[tuple[int, int, int]] = []
    for kind, score in enumerate(_scores(pool.values.worth[place])):
        for move in np.flatnonzero(~np.isnan(score).any(axis=0)).tolist():
            tied = np.flatnonzero(score[:, move] <= score[:, move].min() + SAME * pool.size)
            out.append((int(place[tied[load[tied].argmin()]]), kind, move))
    return out


def _columned(rows: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Turn rows into columns."""
    return {name: column([row[name] for row in rows], name) for name in rows[0]}
