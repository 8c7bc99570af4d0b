"""Payoffs and probabilities as small tables, each evaluated once per distinct combination of the variables that it reads.

A *row plan* is made once, with the structure: which states stand for each combination, and which row every node and edge uses. With
the plan, new numbers cost one evaluation of each expression on some hundreds of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.frontier import View, fault, locate
from sim.errors import ScenarioError
from sim.game.graph import RETURN, TERMINAL, Numbers
from sim.kinds import frozen
from sim.scenario.evaluate import evaluate
from sim.scenario.prospect import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sim.construct.assemble import Expansion
    from sim.construct.codec import Codec
    from sim.construct.frontier import LabelSource
    from sim.errors import Problem
    from sim.game.graph import Graph
    from sim.kinds import Floats, Ints, Keys
    from sim.scenario.expression import Expression
    from sim.scenario.model import Branch, Player, Scenario

__all__ = ["Plan", "evaluate_plan", "make_plan"]

SUM_TOLERANCE = 1e-9
CLOCK = frozenset({"round", "rounds_left"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Distinct combinations: a state code and a round for each row, and where the rows start."""

    start: int
    keys: Keys
    rounds: Ints
    names: tuple[str, ...]

    @property
    def stop(self) -> int:
        """One past the last row."""
        return self.start + len(self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RewardRows:
    """Rows of one player's payoff, each round or final."""

    player: int
    final: bool
    rows: _Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _PayRows:
    """Rows of what an action or outcome pays."""

    pays: Mapping[int, Expression]
    constants: Mapping[str, float]
    owner: str
    place: str
    rows: _Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChanceRows:
    """Rows of a chance node's outcomes; outcome b starts at ``rows.start + b * len(rows.keys)``."""

    branches: tuple[Branch, ...]
    constants: Mapping[str, float]
    owner: str
    place: str
    rows: _Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spread:
    """Which rows can be met at one point of the game, for the payoff range; ``repeats`` if that point comes again for ever."""

    round: int
    table: str
    rows: tuple[Ints, ...]
    repeats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The row plan of a structure."""

    scenario: Scenario
    codec: Codec
    rounds: int
    rewards: tuple[_RewardRows, ...]
    pays: tuple[_PayRows, ...]
    chances: tuple[_ChanceRows, ...]
    spreads: tuple[_Spread, ...]
    reward_columns: int
    pay_rows: int
    prob_rows: int
    first: int
    endless: bool = False


class _Planner:
    """Makes the plan of one expansion."""

    def __init__(self, scenario: Scenario, expansion: Expansion, codec: Codec) -> None:
        self.scenario, self.expansion, self.codec = scenario, expansion, codec
        self.graph = expansion.graph
        self.edge_pay = np.zeros(self.graph.edge_count, dtype=np.int32)
        self.edge_prob = np.zeros(self.graph.edge_count, dtype=np.int32)
        self.node_reward = np.zeros((self.graph.node_count, len(scenario.players)), dtype=np.int32)
        self.node_final = np.zeros_like(self.node_reward)
        self.layer_round = self.graph.layer_round
        self.rewards: list[_RewardRows] = []
        self.pays: list[_PayRows] = []
        self.chances: list[_ChanceRows] = []

    def rows(self, start: int, keys: Keys, rounds: Ints, reads: Iterable[str]) -> tuple[_Rows, Keys]:
        """Group states by what an expression reads."""
        names = tuple(name for name in self.codec.by_id if name in set(reads))
        timed = bool(CLOCK & set(reads))
        places, groups = self.codec.distinct(
            keys, names, rounds if timed else None, int(rounds.max(initial=0)) + 1 if timed else 1
        )
        rows = _Rows(
            start=start, keys=frozen(keys[places]), rounds=frozen(rounds[places].astype(np.int32)), names=names
        )
        return rows, groups

    def plan_rewards(self) -> int:
        """Give every node at a round's end a column for each player, and every terminal node one for its final payoff."""
        graph = self.graph
        column = 1
        arrivals: list[tuple[slice, int]] = []
        terminals: list[tuple[slice, int]] = []
        for layer in range(graph.layer_count):
            if graph.layer_player[layer] == TERMINAL:
                terminals.append((graph.nodes(layer), int(graph.layer_round[layer])))
            if graph.layer_boundary[layer] and layer > 0:
                last = graph.layer_player[layer] in (TERMINAL, RETURN)
                arrivals.append((graph.nodes(layer), int(graph.layer_round[layer]) - (0 if last else 1)))
        for final, places, table in ((False, arrivals, self.node_reward), (True, terminals, self.node_final)):
            if not places:  # an endless game need not have an end
                continue
            index = np.concatenate([np.arange(some.start, some.stop) for some, _ in places])
            rounds = np.concatenate(
                [np.full(some.stop - some.start, number, dtype=np.int32) for some, number in places]
            )
            for i, player in enumerate(self.scenario.players):
                reads = _payoff_reads(player, final=final)
                if player.final.constant == 0 if final else not player.terms:
                    continue
                rows, groups = self.rows(column, graph.node_key[index], rounds, reads)
                table[index, i] = column + groups
                self.rewards.append(_RewardRows(player=i, final=final, rows=rows))
                column = rows.stop
        return column

    def plan_edges(self) -> tuple[int, int]:
        """Give every edge its rows of payments and probabilities."""
        graph, sources = self.graph, self.expansion.sources
        order = np.argsort(graph.edge_label, kind="stable")
        bounds = np.searchsorted(graph.edge_label[order], np.arange(len(sources) + 1))
        source_node = graph.edge_source()
        rounds = np.repeat(graph.layer_round, np.diff(graph.layer_start))
        index = {name: i for i, name in enumerate(self.scenario.player_ids)}
        pay, prob = 1, 1
        families: dict[tuple[int, int], tuple[_ChanceRows, Keys]] = {}
        for label, source in enumerate(sources):
            edges = order[bounds[label] : bounds[label + 1]]
            holder = source.branch or source.action
            if not holder or not len(edges):
                continue
            nodes = source_node[edges]
            keys, when = graph.node_key[nodes], rounds[nodes]
            constants = {"mover": float(source.player), **(source.action.chosen if source.action else {})}
            owner = self.graph.labels[label].text
            if holder.pays:
                reads = {name for expression in holder.pays.values() for name in expression.reads}
                rows, groups = self.rows(pay, keys, when, reads)
                self.edge_pay[edges] = pay + groups
                pays = {index[name]: expression for name, expression in holder.pays.items()}
                self.pays.append(_PayRows(pays=pays, constants=constants, owner=owner, place=holder.place, rows=rows))
                pay = rows.stop
            if source.branch:
                family = (id(source.case or source.action), source.player)
                if family not in families:
                    families[family] = self.plan_chance(source, prob, keys, when, constants)
                    prob += len(families[family][0].rows.keys) * len(families[family][0].branches)
                made, groups = families[family]
                self.edge_prob[edges] = (
                    made.rows.start + made.branches.index(source.branch) * len(made.rows.keys) + groups
                )
        return pay, prob

    def plan_chance(
        self, source: LabelSource, start: int, keys: Keys, rounds: Ints, constants: Mapping[str, float]
    ) -> tuple[_ChanceRows, Keys]:
        """Plan the rows of all outcomes of one case of an event, or of one uncertain action."""
        holder: Any = source.case or source.action
        branches: tuple[Branch, ...] = holder.branches
        expressions = [one for branch in branches for one in (branch.probability, *branch.believes.values())]
        rows, groups = self.rows(start, keys, rounds, {name for one in expressions for name in one.reads})
        owner = source.case.event if source.case else holder.label
        made = _ChanceRows(branches=branches, constants=constants, owner=owner, place=holder.place, rows=rows)
        self.chances.append(made)
        return made, groups

    def plan_spreads(self) -> tuple[_Spread, ...]:
        """Note which rows are met where, for the payoff range."""
        graph = self.graph
        out: list[_Spread] = []
        early = any(graph.layer_player[layer] == TERMINAL for layer in range(graph.layer_count - 1))
        zero = [0] if early else []
        for layer in range(graph.layer_count):
            number = int(graph.layer_round[layer])
            nodes, edges = graph.nodes(layer), graph.edges(layer)
            terminal = bool(graph.layer_player[layer] == TERMINAL)
            last = terminal or bool(graph.layer_player[layer] == RETURN)
            repeats = self.scenario.endless and number > self.scenario.settled
            if layer > 0 and graph.layer_boundary[layer]:
                columns = tuple(_distinct([*zero], self.node_reward[nodes, i]) for i in range(len(graph.players)))
                out.append(_Spread(round=number if last else number - 1, table="reward", rows=columns, repeats=repeats))
            if terminal:
                columns = tuple(_distinct([*zero], self.node_final[nodes, i]) for i in range(len(graph.players)))
                out.append(_Spread(round=number + 1, table="reward", rows=columns))
            paid = self.edge_pay[edges]
            if paid.any():
                out.append(_Spread(round=number, table="pay", rows=(_distinct([0], paid),), repeats=repeats))
        return tuple(out)


def _distinct(more: Sequence[int], rows: Ints) -> Ints:
    return np.unique(np.concatenate((np.array(more, dtype=np.int32), rows))).astype(np.int32)


def _payoff_reads(player: Player, *, final: bool) -> set[str]:
    reads = {name for term in player.terms.values() for name in term.reads}
    if not final:
        return reads
    own = set(player.final.reads)
    return own | reads if "each_round" in own else own


def make_plan(
    scenario: Scenario, expansion: Expansion, codec: Codec, rounds: int, *, endless: bool = False
) -> tuple[Graph, Plan]:
    """Assign rows to nodes and edges.

    Returns
    -------
    tuple
        The graph with its rows, and the plan that gives the rows numbers.
    """
    planner = _Planner(scenario, expansion, codec)
    columns = planner.plan_rewards()
    pay, prob = planner.plan_edges()
    plan = Plan(
        scenario=scenario,
        codec=codec,
        rounds=rounds,
        rewards=tuple(planner.rewards),
        pays=tuple(planner.pays),
        chances=tuple(planner.chances),
        spreads=planner.plan_spreads(),
        reward_columns=columns,
        pay_rows=pay,
        prob_rows=prob,
        first=int(expansion.graph.layer_round[0]),
        endless=endless,
    )
    graph = replace(
        expansion.graph,
        edge_pay=frozen(planner.edge_pay),
        edge_prob=frozen(planner.edge_prob),
        node_reward=frozen(planner.node_reward),
        node_final=frozen(planner.node_final),
    )
    return graph, plan


class _Evaluator:
    """Gives the rows of a plan their numbers, gathering problems."""

    def __init__(self, plan: Plan, assumptions: Mapping[str, Floats], variants: int) -> None:
        self.plan, self.variants = plan, variants
        self.columns = {name: values.reshape(-1, 1) for name, values in assumptions.items()}
        self.problems: list[Problem] = []

    def view(self, rows: _Rows, constants: Mapping[str, Any]) -> View:
        """Return the values of names on the rows, variants along the first axis."""
        rounds = rows.rounds.astype(np.float64)
        return View(
            self.plan.codec,
            rows.keys,
            {**self.columns, "round": rounds, "rounds_left": self.plan.rounds - rounds, **constants},
        )

    def given(self, reads: Iterable[str], variant: int) -> str:
        """Write the assumptions among the names that are read."""
        known = [name for name in sorted(set(reads)) if name in self.columns]
        shown = [f"{name}={self.columns[name][min(variant, len(self.columns[name]) - 1), 0]:g}" for name in known]
        return f" with {', '.join(shown)}" if shown else ""

    def values(self, expression: Expression, view: View, rows: _Rows, subject: str, place: str) -> Floats:
        """Evaluate one expression, shape ``(v, rows)``, noting where it is not a finite number."""
        shape = (self.variants, len(view.codes))
        values = np.broadcast_to(evaluate(expression.node, view), shape)
        found = fault(expression, view, shape)
        if found is None and not np.isfinite(values).all():
            at = tuple(int(index) for index in np.argwhere(~np.isfinite(values))[0])
            found = at, "non-finite", f"is {values[at]}"
        if found:
            (variant, row), kind, what = found
            state = self.plan.codec.show(int(rows.keys[row]), rows.names) or "every state"
            own = place.split(".")
            discount = [
                p.discount.reads for p in self.plan.scenario.players if "discount" in expression.reads and p.id in own
            ]
            given = self.given(expression.reads.union(*discount), variant)
            what = f"{subject} {what} at {state}{given}"
            advice = "guard it with 'if', or narrow a range"
            self.problems.append(locate(self.plan.scenario, place, kind, what, "a finite number", advice))
        return values

    def discounts(self) -> Floats:
        """Evaluate the discount factors, shape ``(v, i)``."""
        out = np.empty((self.variants, len(self.plan.scenario.players)))
        for i, player in enumerate(self.plan.scenario.players):
            out[:, i] = np.broadcast_to(evaluate(player.discount.node, self.columns), (self.variants, 1))[:, 0]
            wrong = ~((out[:, i] >= 0) & (out[:, i] < 1 if self.plan.endless else out[:, i] <= 1))
            if wrong.any():
                variant = int(np.flatnonzero(wrong)[0])
                what = f"discount of {player.id} is {out[variant, i]:g}{self.given(player.discount.reads, variant)}"
                self.problems.append(
                    locate(
                        self.plan.scenario,
                        f"players.{player.id}.discount",
                        "outside-range",
                        what,
                        "a number from 0 to less than 1, since the horizon is infinite"
                        if self.plan.endless
                        else "a number from 0 to 1",
                    )
                )
        return out

    def prospects(self) -> Floats | None:
        """Evaluate how players evaluate chance, shape ``(v, i, 4)``; None if all do so by expectation."""
        players = self.plan.scenario.players
        if not any(player.prospect for player in players):
            return None
        out = np.ones((self.variants, len(players), len(PARAMETERS)))
        for i, player in enumerate(players):
            for column, one in enumerate(PARAMETERS if player.prospect else ()):
                expression = player.prospect[one.key]
                out[:, i, column] = np.broadcast_to(evaluate(expression.node, self.columns), (self.variants, 1))[:, 0]
                wrong = [variant for variant, value in enumerate(out[:, i, column]) if not one.holds(float(value))]
                if wrong:
                    given = self.given(expression.reads, wrong[0])
                    what = f"{one.key} of {player.id} is {out[wrong[0], i, column]:g}{given}"
                    place = f"players.{player.id}.prospect.{one.key}"
                    self.problems.append(
                        locate(self.plan.scenario, place, "outside-range", what, one.expected, one.why)
                    )
        return out

    def rewards(self, discounts: Floats) -> Floats:
        """Evaluate the payoffs of states, shape ``(v, columns)``."""
        out = np.zeros((self.variants, self.plan.reward_columns))
        for block in self.plan.rewards:
            player = self.plan.scenario.players[block.player]
            view = self.view(block.rows, {})
            total = np.zeros((self.variants, len(block.rows.keys)))
            if not block.final or "each_round" in player.final.reads:
                for term, expression in player.terms.items():
                    name, place = f"payoff of {player.id}", f"payoffs.{player.id}.each_round"
                    if term != "payoff":
                        name, place = f"{name} ({term})", f"{place}.{term}"
                    total += self.values(expression, view, block.rows, name, place)
            if block.final:
                discount = discounts[:, [block.player]]
                left = np.inf if self.plan.endless else self.plan.rounds - block.rows.rounds
                with np.errstate(all="ignore"):
                    annuity = np.where(discount == 1, left, (1 - discount**left) / (1 - discount))
                last = view.with_constants({"each_round": total, "discount": discount, "annuity": annuity})
                place = f"payoffs.{player.id}.final"
                total = self.values(player.final, last, block.rows, f"final payoff of {player.id}", place)
            out[:, block.rows.start : block.rows.stop] = total
        return out

    def pays(self) -> Floats:
        """Evaluate what edges pay, shape ``(v, rows, i)``."""
        out = np.zeros((self.variants, self.plan.pay_rows, len(self.plan.scenario.players)))
        for block in self.plan.pays:
            view = self.view(block.rows, block.constants)
            for i, expression in block.pays.items():
                name = self.plan.scenario.player_ids[i]
                subject, place = f"'pays' of {block.owner} for {name}", f"{block.place}.pays.{name}"
                out[:, block.rows.start : block.rows.stop, i] = self.values(
                    expression, view, block.rows, subject, place
                )
        return out

    def probabilities(self) -> Floats:
        """Evaluate chance, shape ``(v, rows, 1 + i)``."""
        players = self.plan.scenario.player_ids
        out = np.ones((self.variants, self.plan.prob_rows, 1 + len(players)))
        for block in self.plan.chances:
            view = self.view(block.rows, block.constants)
            size = len(block.rows.keys)
            whole = np.empty((self.variants, len(block.branches), size, 1 + len(players)))
            noted = len(self.problems)
            for index, branch in enumerate(block.branches):
                subject = f"probability of outcome {branch.label} of {block.owner}"
                place = f"{branch.place}.probability"
                whole[:, index] = self.values(branch.probability, view, block.rows, subject, place)[..., None]
                for name, expression in branch.believes.items():
                    place = f"{branch.place}.believes.{name}"
                    own = self.values(expression, view, block.rows, f"{subject}, as {name} believes,", place)
                    whole[:, index, :, 1 + players.index(name)] = own
            if len(self.problems) == noted:
                self.check_chance(block, whole)
            stop = block.rows.start + size * len(block.branches)
            out[:, block.rows.start : stop] = whole.reshape(self.variants, -1, 1 + len(players))
        return out

    def check_chance(self, block: _ChanceRows, whole: Floats) -> None:
        """Note probabilities that are negative or do not sum to 1, with state and assumptions."""
        negative = whole < -SUM_TOLERANCE
        total = whole.sum(axis=1)
        wrong = np.abs(total - 1) > SUM_TOLERANCE
        if not negative.any() and not wrong.any():
            np.clip(whole, 0.0, 1.0, out=whole)
            return
        bad = np.argwhere(negative)[0][[0, 2, 3]] if negative.any() else np.argwhere(wrong)[0]
        variant, row, column = (int(index) for index in bad)
        disputed = any(self.plan.scenario.player_ids[column - 1] in branch.believes for branch in block.branches)
        believer = f", as {self.plan.scenario.player_ids[column - 1]} believes," if column and disputed else ""
        state = self.plan.codec.show(int(block.rows.keys[row]), block.rows.names) or "every state"
        expressions = [one for branch in block.branches for one in (branch.probability, *branch.believes.values())]
        given = self.given({name for one in expressions for name in one.reads}, variant)
        shown = [
            f"{branch.label}: {whole[variant, place, row, column]:g}" for place, branch in enumerate(block.branches)
        ]
        kind, found = "probability-sum", f"sum to {total[variant, row, column]:g}"
        if negative.any():
            kind, found = "negative-probability", "are partly negative"
        what = f"probabilities of {block.owner}{believer} {found} at {state}{given} ({', '.join(shown)})"
        expected = "numbers from 0 to 1 that sum to 1"
        self.problems.append(locate(self.plan.scenario, block.place, kind, what, expected))

    def spans(self, reward: Floats, pay: Floats, discount: Floats) -> Floats:
        """Bound the payoff range of each player, shape ``(v, i)``."""
        out = np.zeros_like(discount)
        for spread in self.plan.spreads:
            weight = discount ** max(0, spread.round - self.plan.first)
            if spread.repeats and self.plan.endless:
                weight = weight / (1 - discount**self.plan.scenario.period)
            if spread.table == "pay":
                some = pay[:, spread.rows[0]]
                out += weight * (some.max(axis=1) - some.min(axis=1))
                continue
            for i, columns in enumerate(spread.rows):
                if len(columns) > 1:
                    some = reward[:, columns]
                    out[:, i] += weight[:, i] * (some.max(axis=1) - some.min(axis=1))
        out[out == 0] = 1.0
        return out


def evaluate_plan(plan: Plan, assumptions: Mapping[str, Floats]) -> Numbers:
    """Give a structure its numbers.

    Parameters
    ----------
    plan
        The row plan.
    assumptions
        Arrays of length 1 or ``v`` by name.

    Raises
    ------
    ScenarioError
        For payoffs that are not finite and probabilities that are none, naming state and assumptions.
    """
    variants = max((values.size for values in assumptions.values()), default=1)
    evaluator = _Evaluator(plan, assumptions, variants)
    discount = evaluator.discounts()
    reward, pay, prob = evaluator.rewards(discount), evaluator.pays(), evaluator.probabilities()
    prospect = evaluator.prospects()
    if evaluator.problems:
        raise ScenarioError(evaluator.problems)
    span = evaluator.spans(reward, pay, discount)
    return Numbers(
        reward=frozen(reward),
        pay=frozen(pay),
        prob=frozen(prob),
        discount=frozen(discount),
        span=frozen(span),
        prospect=None if prospect is None else frozen(prospect),
    )
