r"""Private numbers: a graph unfolded to its tree, and every end's payoffs as affine functions of what their owner alone knows.

A number that one player knows may enter his own payoffs alone, and only as a sum of multiples: then each of his plans is worth
:math:`\alpha + \beta \cdot x`, and cut-offs decide (:mod:`sim.game.cutoffs`). That payoffs are so is read off their expressions, which tells where they are
not; the multiples are found by evaluating the plan with every number at 0 and each in turn at 1, and tested at two other points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.frontier import locate
from sim.construct.tables import evaluate_plan
from sim.errors import ScenarioError
from sim.game.cutoffs import CutoffGame, Shock, Shocks
from sim.game.graph import TERMINAL, Graph
from sim.kinds import frozen
from sim.scenario.evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sim.construct.tables import Plan
    from sim.errors import Problem
    from sim.game.graph import Numbers
    from sim.kinds import Floats, Keys
    from sim.scenario.model import Branch, Private, Scenario
    from sim.scenario.tree import Expression, Node

__all__ = ["MOST_NODES", "Draws", "accumulate", "check_draws", "draws_of", "shocks_of", "to_tree"]

MOST_NODES = 20_000
"""Nodes of a tree of private numbers; cut-offs are solved on much smaller ones."""
AFFINE = 1e-9
PROBE = (-2.0, 5.0)  # spreads from the centre, between which the numbers of the testing point lie


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Which private numbers are hidden: for each player the ids of his own, axis ``d``."""

    own: tuple[tuple[str, ...], ...]

    @property
    def privates(self) -> tuple[str, ...]:
        """All ids, player by player."""
        return tuple(name for names in self.own for name in names)


def draws_of(scenario: Scenario, secret: Iterable[Private]) -> Draws:
    """Sort hidden numbers by who knows them."""
    found = list(secret)
    return Draws(own=tuple(tuple(one.id for one in found if one.known_to == player) for player in scenario.player_ids))


# -- what may read a number ------------------------------------------------------------------------------------------------------------


def _reads(node: Node, names: frozenset[str]) -> bool:
    return any(part.op == "name" and part.name in names for part in node.walk())


def _affine(node: Node, names: frozenset[str]) -> bool:
    """Tell whether a tree is a sum of multiples of names, with factors and conditions that read none of them."""
    if not _reads(node, names) or node.op == "name":
        return True
    reading = [_reads(part, names) for part in node.parts]
    sound = all(_affine(part, names) for part in node.parts)
    if node.op in ("+", "-", "neg", "annuity"):
        return sound
    if node.op == "*":
        return sound and sum(reading) == 1
    if node.op in ("/", "if"):  # the divisor, or the condition, is the same for all types
        return sound and not (reading[1] if node.op == "/" else reading[0])
    return False


def _payoffs(scenario: Scenario) -> Iterator[tuple[str, Expression, str, str]]:
    """Yield what pays whom: the player, the expression, its place and its name."""
    for player in scenario.players:
        for term, expression in player.terms.items():
            place, name = f"payoffs.{player.id}.each_round", f"payoff of {player.id}"
            whole = (place, name) if term == "payoff" else (f"{place}.{term}", f"{name} ({term})")
            yield player.id, expression, *whole
        yield player.id, player.final, f"payoffs.{player.id}.final", f"final payoff of {player.id}"
    for holder, owner in _payers(scenario):
        for name, expression in holder.pays.items():
            yield name, expression, f"{holder.place}.pays.{name}", f"'pays' of {owner} for {name}"


def _branches(scenario: Scenario) -> Iterator[tuple[Branch, str]]:
    for action in scenario.actions:
        yield from ((branch, f"{action.label}/{branch.label}") for branch in action.branches)
    for cases in scenario.chance.values():
        yield from ((branch, f"{case.event}/{branch.label}") for case in cases for branch in case.branches)


def _payers(scenario: Scenario) -> Iterator[tuple[Any, str]]:
    yield from ((action, action.label) for action in scenario.actions)
    yield from _branches(scenario)


def check_draws(scenario: Scenario, draws: Draws) -> None:
    """See that hidden numbers are read in their owners' payoffs alone, and there as sums of multiples.

    Raises
    ------
    ScenarioError
        All places where one is read otherwise.
    """
    every = frozenset(draws.privates)
    out: list[Problem] = []

    def note(place: str, what: str, expected: str, advice: str) -> None:
        out.append(locate(scenario, place, "private", what, expected, advice))

    for action in scenario.actions:
        for name in sorted(action.guard.reads & every):
            what, advice = (
                f"guard of {action.move} reads {name}, a private number",
                "let the payoff decide, or use a type with 'values'",
            )
            note(f"{action.place}.when", what, "a guard that holds for all values of a number", advice)
    for branch, owner in _branches(scenario):
        for name in sorted(branch.probability.reads & every):
            what, advice = f"probability of {owner} reads {name}, a private number", "use a type with 'values'"
            note(
                f"{branch.place}.probability", what, "a probability that is the same for all values of a number", advice
            )
        if branch.believes:
            what, advice = (
                f"probability of {owner} is disputed ('believes'), and numbers are private",
                "let all share the probability",
            )
            note(f"{branch.place}.believes", what, "one probability for all players", advice)
    own = dict(zip(scenario.player_ids, draws.own, strict=True))
    terms = {player.id: player.terms.values() for player in scenario.players}
    for player, expression, place, subject in _payoffs(scenario):
        for name in sorted((expression.reads & every) - set(own[player])):
            what = f"{subject} reads {name}, a number that only {scenario.private(name).known_to} knows"
            advice = f"let {player} know another number, or use a type with 'values'"
            note(place, what, f"numbers that {player} knows himself", advice)
        names = frozenset(own[player])
        if "each_round" in expression.reads and any(names & term.reads for term in terms[player]):
            names |= {"each_round"}
        if not _affine(expression.node, names):
            what = f"{subject} is no sum of multiples of {' and '.join(sorted(names & expression.reads))}: {expression.text.strip():.60}"
            note(
                place,
                what,
                "numbers added or multiplied by what all know",
                "cut-offs need it; or use a type with 'values'",
            )
    if out:
        raise ScenarioError(out)


# -- the tree ----------------------------------------------------------------------------------------------------------------------------


def to_tree(scenario: Scenario, graph: Graph, node_limit: int = MOST_NODES) -> Graph:
    """Unfold a graph until every node has one history.

    Parameters
    ----------
    scenario
        For the place of errors.
    graph
        A finite graph at whose nodes one player moves, with one start; rows are assigned.
    node_limit
        The most nodes of the tree.

    Raises
    ------
    ScenarioError
        Where several choose at once, play may start in several states, or the tree is too large.
    """
    limit = min(node_limit, MOST_NODES)
    if not graph.plain or len(graph.roots) > 1:
        what = "several players choose at once" if graph.simultaneous else "play goes on for ever"
        what = f"numbers are private, and {what if not graph.plain else 'play may start in several states'}"
        advice = "use types with 'values', or say what the numbers are known to be (--known)"
        raise ScenarioError(
            [locate(scenario, "private", "private", what, "one start, and one mover at a time", advice)]
        )
    waiting: dict[int, list[tuple[Keys, Keys]]] = {0: [(graph.roots.astype(np.int64), np.array([-1]))]}
    home = graph.node_layer()
    public: list[Keys] = []
    edge: list[Keys] = []
    parent: list[Keys] = []
    nodes = edges = 0
    for layer in range(graph.layer_count):
        here = waiting.pop(layer, [])
        public.append(np.concatenate([np.empty(0, np.int64), *(one for one, _ in here)]))
        parent.append(np.concatenate([np.empty(0, np.int64), *(one for _, one in here)]))
        nodes += len(public[-1])
        if nodes > limit:
            what = f"private numbers need the tree of all histories, which has more than {limit:,} nodes by round {int(graph.layer_round[layer])}"
            advice = (
                "play fewer rounds (--rounds), start later (--start), or say what the numbers are known to be (--known)"
            )
            raise ScenarioError([locate(scenario, "private", "too-many-nodes", what, f"at most {limit:,}", advice)])
        degree = np.diff(graph.edge_start)[public[-1]].astype(np.int64)
        start = np.cumsum(degree) - degree
        within = np.arange(int(degree.sum())) - np.repeat(start, degree)
        edge.append(np.repeat(graph.edge_start[public[-1]].astype(np.int64), degree) + within)
        after = graph.edge_dst[edge[-1]].astype(np.int64)
        for target in np.unique(home[after]).tolist():
            which = np.flatnonzero(home[after] == target)
            waiting.setdefault(target, []).append((after[which], edges + which))
        edges += len(after)
    kept = [layer for layer, one in enumerate(public) if len(one)]
    flat, taken, into = (np.concatenate(each) for each in (public, edge, parent))
    dst = np.empty(edges, dtype=np.int32)
    dst[into[1:]] = np.arange(1, nodes, dtype=np.int32)
    return Graph(
        players=graph.players,
        layer_start=frozen(np.cumsum([0, *(len(public[layer]) for layer in kept)]).astype(np.int32)),
        **{name: frozen(getattr(graph, name)[kept]) for name in ("layer_player", "layer_round", "layer_turn", "layer_boundary")},
        edge_start=frozen(np.concatenate(([0], np.cumsum(np.diff(graph.edge_start)[flat]))).astype(np.int32)),
        edge_dst=frozen(dst),
        **{name: frozen(getattr(graph, name)[taken]) for name in ("edge_label", "edge_weight", "edge_pay", "edge_prob")},
        **{
            name: frozen(getattr(graph, name)[flat])
            for name in ("node_reward", "node_final", "node_key", "node_rung", "node_uncertain", "node_shape", "node_return")
        },
        roots=frozen(np.zeros(1, dtype=np.int32)),
        labels=graph.labels,
    )  # fmt: skip


def accumulate(graph: Graph, numbers: Numbers) -> tuple[Floats, Floats, Floats]:
    """Add up what every history of a tree pays, as present values at the start.

    Returns
    -------
    past : float array, (v, n, i)
        What has been paid on the way to each node.
    total : float array, (v, n, i)
        At an end the same with the final payoff; 0 before it.
    weight : float array, (v, n, i)
        What a payoff at the node is worth at the start.
    """
    variants, players = numbers.discount.shape
    past = np.zeros((variants, graph.node_count, players))
    total, weight = np.zeros_like(past), np.ones_like(past)
    into = np.empty(graph.node_count, dtype=np.int64)
    into[graph.edge_dst] = np.arange(graph.edge_count)
    source = graph.edge_source()
    for layer in range(graph.layer_count):
        nodes = graph.nodes(layer)
        if layer:
            edges = into[nodes]
            before = source[edges]
            past[:, nodes] = past[:, before] + weight[:, before] * numbers.pay[:, graph.edge_pay[edges]]
            weight[:, nodes] = weight[:, before]
            if graph.layer_boundary[layer]:
                past[:, nodes] += weight[:, nodes] * numbers.reward[:, graph.node_reward[nodes]]
                weight[:, nodes] *= numbers.discount[:, None]
        if graph.layer_player[layer] == TERMINAL:
            total[:, nodes] = past[:, nodes] + weight[:, nodes] * numbers.reward[:, graph.node_final[nodes]]
    return past, total, weight


# -- the numbers -------------------------------------------------------------------------------------------------------------------------


def _drawn(scenario: Scenario, private: Private, values: Mapping[str, Floats], variants: int) -> list[Shock]:
    """Return how a number is drawn in each variant."""
    low, high = (np.broadcast_to(evaluate(one.node, values), (variants,)) for one in private.parameters)
    normal = private.kind == "normal"
    sound = np.isfinite(low) & np.isfinite(high) & ((high > 0.0) if normal else (high > low))
    if not sound.all():
        bad = int(np.flatnonzero(~sound)[0])
        names = sorted({name for one in private.parameters for name in one.reads})
        given = ", ".join(f"{name}={values[name][min(bad, values[name].size - 1)]:g}" for name in names)
        shown = f"{private.id} is {private.kind} with {low[bad]:g} and {high[bad]:g}" + (
            f" with {given}" if given else ""
        )
        expected = "a finite mean and a deviation above 0" if normal else "the lower number first, and a higher one"
        advice = f"to let all know it, say what it is known to be (--known {private.id}=…)"
        raise ScenarioError(
            [locate(scenario, f"private.{private.id}.{private.kind}", "bad-range", shown, expected, advice)]
        )
    if normal:
        return [Shock(mean=float(a), deviation=float(b)) for a, b in zip(low, high, strict=True)]
    return [Shock(kind="uniform", low=float(a), high=float(b)) for a, b in zip(low, high, strict=True)]


def _points(drawn: Sequence[Sequence[Shock]], variants: int) -> Floats:
    """Choose where payoffs are evaluated, (v, lane, number): all numbers at 0, each in turn at 1, all at their means, and a point to test at."""
    count = len(drawn)
    centre, size = (
        np.array([[getattr(one, name) for one in each] for each in drawn]).T for name in ("centre", "spread")
    )
    ones = np.broadcast_to(np.concatenate([np.zeros((1, count)), np.eye(count)]), (variants, 1 + count, count))
    probe = np.linspace(*PROBE, count + 2)[1:-1]
    return np.concatenate([ones, centre[:, None], (centre + probe * size)[:, None]], axis=1)


def _test(scenario: Scenario, lanes: Floats, total: Floats, slopes: Floats) -> None:
    """See at the means and at another point that payoffs are the sums that they are taken for."""
    for lane in (-2, -1):
        wanted = total[:, 0] + np.einsum("vd,vdni->vni", lanes[:, lane], slopes)
        size = np.abs(total[:, 0]) + np.einsum("vd,vdni->vni", np.abs(lanes[:, lane]), np.abs(slopes))
        if (np.abs(total[:, lane] - wanted) > AFFINE * np.maximum(size, 1.0)).any():
            what, expected = (
                "payoffs are no sums of multiples of private numbers",
                "numbers added or multiplied by what all know",
            )
            raise ScenarioError([locate(scenario, "payoffs", "private", what, expected)])


def shocks_of(
    scenario: Scenario,
    draws: Draws,
    graph: Graph,
    plan: Plan,
    values: Mapping[str, Floats],
    known: Mapping[str, Floats],
) -> tuple[Numbers, Shocks]:
    """Give a tree its numbers, with what every private number is worth at every end.

    Parameters
    ----------
    scenario, draws, graph, plan
        The scenario, its hidden numbers, and the tree with its row plan.
    values, known
        Assumptions, arrays of length 1 or ``v``, and private types that all know.

    Returns
    -------
    tuple
        Numbers with every private number at its mean, and a cut-off game for each variant.

    Raises
    ------
    ScenarioError
        For a distribution that is none, and payoffs that are no sums of multiples after all.
    """
    variants = max((array.size for array in values.values()), default=1)
    names = draws.privates
    drawn = {name: _drawn(scenario, scenario.private(name), values, variants) for name in names}
    count = len(names)
    lanes = _points([drawn[name] for name in names], variants)
    spread = {name: np.repeat(array, lanes.shape[1]) if array.size > 1 else array for name, array in values.items()}
    flat = {name: lanes[:, :, place].ravel() for place, name in enumerate(names)}
    numbers = evaluate_plan(plan, {**spread, **known, **flat})
    shape = (variants, lanes.shape[1], graph.node_count, len(graph.players))
    past, total, weight = (each.reshape(shape) for each in accumulate(graph, numbers))
    slopes = total[:, 1 : 1 + count] - total[:, :1]  # v, number, n, i
    _test(scenario, lanes, total, slopes)
    most = max(len(own) for own in draws.own)
    loading = np.zeros((variants, graph.node_count, len(graph.players), most))
    sofar = np.zeros_like(loading)
    for i, own in enumerate(draws.own):
        for d, name in enumerate(own):
            lane = names.index(name)
            loading[:, :, i, d] = slopes[:, lane, :, i]
            sofar[:, :, i, d] = past[:, 1 + lane, :, i] - past[:, 0, :, i]
    middle = numbers.take(slice(1 + count, None, lanes.shape[1]))
    common: dict[str, Any] = {"players": graph.players, "edge_start": graph.edge_start, "edge_dst": graph.edge_dst}
    common["node_player"] = np.repeat(graph.layer_player, np.diff(graph.layer_start))
    common["edge_label"] = tuple(graph.labels[label].text for label in graph.edge_label.tolist())
    games = tuple(
        CutoffGame(
            shocks=tuple(tuple(drawn[name][v] for name in own) for own in draws.own),
            edge_prob=middle.prob[v, graph.edge_prob, 0],
            payoff=total[v, 0],
            loading=loading[v],
            **common,
        )
        for v in range(variants)
    )
    shocks = Shocks(
        names=draws.own, games=games, past=frozen(past[:, 0]), past_loading=frozen(sofar), weight=frozen(weight[:, 0])
    )
    return middle, shocks
