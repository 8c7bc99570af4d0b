"""Property tests for your own scenarios: Hypothesis strategies, and invariants that every model must satisfy.

Use :func:`scenarios`, :func:`games`, :func:`settings_of` and :func:`profiles` in tests of your own, or let :func:`check_invariants` (the command
``sim check --invariants``) hold one scenario against all of :data:`INVARIANTS`, on assumptions drawn from their ranges.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.analysis.paths import play
from sim.construct.compile import compile as compile_game
from sim.construct.shocks import accumulate
from sim.errors import ScenarioError, SimError
from sim.game.assessment import sight
from sim.game.graph import CHANCE, TERMINAL
from sim.scenario.load import dump, loads
from sim.solve.registry import solve
from sim.solve.stages import chance_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.game.cutoffs import CutoffGame
    from sim.game.graph import Game
    from sim.kinds import Floats
    from sim.scenario.model import Scenario

__all__ = [
    "INVARIANTS",
    "InvariantError",
    "affine",
    "check_invariants",
    "games",
    "profiles",
    "scenarios",
    "security_levels",
    "settings_of",
]

TOLERANCE = 1e-9
ROUNDING = 1e-7
MAX_HISTORIES = 1000


class InvariantError(SimError, AssertionError):
    """A model breaks an invariant; the message says which, where and by how much."""

    exit_code = 1


def _demand(holds: Any, message: str) -> None:
    if not holds:
        raise InvariantError(message)


# -- strategies -------------------------------------------------------------------------------------------------------------------------


@st.composite
def _effects(draw: st.DrawFn, names: list[str]) -> dict[str, str]:
    """Draw effects on some variables; clipping keeps them in range."""
    chosen = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    forms = ["{x} + 1", "{x} - 1", "{y}", "max({x}, {y})", "{x} if {y} > 0 else {x} + 1", "0", "{x} + k"]
    return {name: draw(st.sampled_from(forms)).format(x=name, y=draw(st.sampled_from(names))) for name in chosen}


@st.composite
def _payoff(draw: st.DrawFn, names: list[str]) -> str:
    """Draw a payoff over the variables and the assumption w."""
    terms = [f"{draw(st.integers(-3, 3))} * {name}" for name in names]
    forms = ["w * ({y} > 0)", "gain({x} - {y}, 2.25)", "{x} * {y}", "(w if {x} == {y} else 1)"]
    form = draw(st.sampled_from(forms)).format(x=draw(st.sampled_from(names)), y=draw(st.sampled_from(names)))
    return " + ".join([*terms, form])


@st.composite
def scenarios(
    draw: st.DrawFn,
    *,
    chance: bool = True,
    beliefs: bool = True,
    together: bool = False,
    endless: bool = False,
    prospect: bool = False,
    private: bool = False,
) -> Scenario:
    """Draw a small random scenario: two or three players, one to three variables, uncertain moves, groups, chance and early ends.

    Parameters
    ----------
    draw
        Given by Hypothesis.
    chance, beliefs
        Whether chance may happen, and whether players may believe their own probabilities.
    together
        Whether two players choose at once.
    endless
        Whether the horizon is infinite.
    prospect
        Whether the first player, and perhaps others, evaluate chance by prospect theory.
    private
        Whether the first player, and perhaps the second, has a private type: in payoffs, payments, guards and perhaps chances, drawn apart or
        from a joint table.
    """
    players = ["a", "b", "c"][: draw(st.integers(2, 3))]
    names = ["x", "y", "z"][: draw(st.integers(1, 3))]
    document: dict[str, Any] = {
        "title": "random",
        "rounds": draw(st.integers(1, 3)),
        "players": {player: {"discount": draw(st.sampled_from([0.5, 0.9, 1.0]))} for player in players},
        "assumptions": {
            "k": {"value": draw(st.integers(0, 1)), "choices": [0, 1]},
            "w": {"value": draw(st.integers(-3, 3)), "range": [-4, 4]},
            "p": {"value": draw(st.sampled_from([0.0, 0.25, 0.5, 1.0])), "range": [0, 1]},
        },
        "state": {name: {"range": [0, draw(st.integers(1, 2))], "start": 0, "clip": True} for name in names},
        "turns": [{"player": player} for player in draw(st.permutations(players))],
        "moves": {},
        "payoffs": {
            player: {
                "each_round": draw(_payoff(names)),
                "final": draw(st.sampled_from(["0", "w", names[0], "annuity(1)"])),
            }
            for player in players
        },
        "outcomes": {
            "ever_x": "ever(x > 0)",
            "most": "max_over(x)",
            "counted": "count(x > 0)",
            "both": "played(go_a) and final(x) == 0",
            "when": "first(x > 0)",
        },
    }
    for player in players:
        document["moves"][f"hold_{player}"] = {"player": player}
        move: dict[str, Any] = {
            "player": player,
            "effects": draw(_effects(names)),
            "pays": {draw(st.sampled_from(players)): f"{draw(st.integers(-2, 2))} + w * x"},
        }
        move["when"] = draw(st.sampled_from(["true", "x == 0", "x < 1 or round > 1"]))
        move["ends"] = draw(st.booleans()) and draw(st.booleans())
        document["moves"][f"go_{player}"] = move
        if draw(st.booleans()):
            document["moves"][f"also_{player}"] = {"player": player, "group": f"g_{player}", "choose": {"x": [0, 1]}}
        if chance and draw(st.booleans()):
            outcomes = [
                {"label": "yes", "probability": "p", "effects": draw(_effects(names))},
                {"label": "no", "probability": "1 - p", "pays": {player: "1"}},
            ]
            document["moves"][f"try_{player}"] = {"player": player, "outcomes": outcomes}
    if chance and draw(st.booleans()):
        outcomes: list[dict[str, Any]] = [
            {"label": "up", "probability": "p", "effects": draw(_effects(names))},
            {"label": "down", "probability": "(1 - p) / 2", "effects": draw(_effects(names))},
            {"label": "end", "probability": "(1 - p) / 2", "ends": True},
        ]
        if beliefs and draw(st.booleans()):
            for outcome, belief in zip(outcomes, ("0.5", "0.25", "0.25"), strict=True):
                outcome["believes"] = {players[0]: belief}
        document["chance"] = {
            "event": [{"when": draw(st.sampled_from(["true", "x > 0", "x == 0"])), "outcomes": outcomes}]
        }
        document["turns"].insert(draw(st.integers(0, len(players))), {"chance": ["event"]})
    if together:
        document["turns"].remove({"player": players[0]})
        document["turns"][document["turns"].index({"player": players[1]})] = {"simultaneous": players[:2]}
        for variable in document["state"].values():
            variable["combine"] = draw(st.sampled_from(["add", "max", "min"]))
    if private:
        _secret(draw, document, players)
    if endless:
        document = _endless(document, draw(st.booleans()))
    for player in players[: draw(st.integers(1, len(players)))] if prospect else ():
        document["players"][player]["prospect"] = {
            "curvature": draw(st.sampled_from([0.5, 0.88, 1])),
            "loss_aversion": draw(st.sampled_from([1, 2.25, "2 + p"])),
            "gains": draw(st.sampled_from([0.3, 0.61, 1])),
            "losses": draw(st.sampled_from([0.5, 0.69, 1])),
        }
    return loads(_toml(document), "random.toml")


def _secret(draw: st.DrawFn, document: dict[str, Any], players: list[str]) -> None:
    """Give some players of a random scenario private types, of two or three values."""
    owners = players[: draw(st.integers(1, 2))]
    kinds = {owner: ["low", "high", "odd"][: draw(st.sampled_from([2, 2, 3]))] for owner in owners}
    document["assumptions"]["q"] = {"value": draw(st.sampled_from([0.0, 0.1, 0.5, 0.8])), "range": [0, 0.9]}
    joint = len(owners) > 1 and draw(st.booleans())
    shares = {2: ["1 - q", "q"], 3: ["1 - q", "q / 2", "q / 2"]}
    document["private"] = {
        f"t_{owner}": {
            "known_to": owner,
            "values": kinds[owner] if joint else dict(zip(kinds[owner], shares[len(kinds[owner])], strict=True)),
        }
        for owner in owners
    }
    if joint:
        pairs = [(one, other) for one in kinds[owners[0]] for other in kinds[owners[1]]]
        document["prior"] = [
            {
                "types": {f"t_{owners[0]}": one, f"t_{owners[1]}": other},
                "probability": "q" if not place else f"(1 - q) / {len(pairs) - 1}",
            }
            for place, (one, other) in enumerate(pairs)
        ]
    for owner in owners:
        high = f"(t_{owner} == high)"
        reader = draw(st.sampled_from(players))
        payoffs = document["payoffs"]
        payoffs[owner]["each_round"] += f" + {draw(st.integers(-2, 2))} * x * {high}"
        payoffs[reader]["final"] = f"{payoffs[reader]['final']} + {draw(st.integers(-2, 2))} * {high}"
        go = document["moves"][f"go_{owner}"]
        go["pays"] = {owner: f"{draw(st.integers(-2, 2))} * {high} + 0.5"}
        alone = {"player": owner} in document["turns"]
        if alone and draw(st.booleans()):
            go["when"] = f"({go['when']}) and t_{owner} != low"
    for cases in document.get("chance", {}).values():
        disputed = any("believes" in outcome for outcome in cases[0]["outcomes"])
        if not disputed and draw(st.booleans()):
            told = f"(p if t_{owners[0]} == high else p / 2)"
            for outcome, share in zip(cases[0]["outcomes"], (told, f"1 - {told}", "0"), strict=True):
                outcome["probability"] = share


def _endless(document: dict[str, Any], again: bool) -> dict[str, Any]:  # noqa: FBT001
    """Give a random scenario an infinite horizon, perhaps with a turn that comes every other round only."""
    for player in document["players"].values():
        player["discount"] = min(player["discount"], 0.9)
    for payoff in document["payoffs"].values():
        payoff["final"] = "0" if "annuity" in str(payoff["final"]) else payoff["final"]
    for move in document["moves"].values():
        move["when"] = str(move.get("when", "true")).replace(" or round > 1", "")
    if again:
        document["turns"][-1]["every"] = 2
    del document["rounds"]
    return {**document, "horizon": "infinite", "outcomes": {"ever_x": "ever(x > 0)", "counted": "count(x > 0)"}}


def _toml(document: dict[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(document)


def settings_of(scenario: Scenario) -> st.SearchStrategy[dict[str, float | str]]:
    """Draw values for the assumptions of a scenario from their ranges and choices; base values are likely.

    Examples
    --------
    >>> import sim
    >>> settings_of(sim.load(sim.template())) is not None
    True
    """
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, assumption in scenario.assumptions.items():
        if assumption.labels:
            fields[name] = st.sampled_from(assumption.labels.values)
        elif assumption.choices:
            fields[name] = st.sampled_from(assumption.choices)
        elif assumption.range and assumption.value.constant is not None:
            low, high = assumption.range
            fields[name] = st.integers(0, 16).map(
                lambda step, low=low, high=high: min(high, low + (high - low) * step / 16)
            )
    return st.fixed_dictionaries({}, optional=fields)


def games(**options: bool) -> st.SearchStrategy[Game]:
    """Draw a compiled game; options as for :func:`scenarios`."""
    return scenarios(**options).map(compile_game)


@st.composite
def profiles(draw: st.DrawFn, game: Game) -> Floats:
    """Draw a random profile of a game, shape (v, e)."""
    seed = draw(st.integers(0, 2**32 - 1))
    weights = np.random.default_rng(seed).exponential(size=(game.variants, game.graph.edge_count)) * (
        game.graph.edge_weight > 0
    )
    source = game.graph.edge_source()
    total = np.stack([np.bincount(source, weights=row, minlength=game.graph.node_count)[source] for row in weights])
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


# -- invariants ---------------------------------------------------------------------------------------------------------------------------


def affine(game: Game, player: int, scale: float, shift: float) -> Game:
    """Return the game with one player's payoffs multiplied by ``scale`` and each round's payoff shifted.

    Examples
    --------
    >>> import sim
    >>> game = affine(sim.compile(sim.load(sim.template())), 0, 2.0, 1.0)
    >>> game.graph.node_count
    11
    """
    numbers, graph = game.numbers, game.graph
    reward, pay, span = np.array(numbers.reward), np.array(numbers.pay), np.array(numbers.span)
    arrival = np.unique(graph.node_reward[:, player])
    final = np.unique(graph.node_final[:, player])
    columns = np.union1d(arrival, final)
    reward[:, columns[columns > 0]] *= scale
    reward[:, arrival[arrival > 0]] += shift
    pay[:, :, player] *= scale
    span[:, player] *= scale
    changed = replace(numbers, reward=reward, pay=pay, span=span)
    shocks = game.shocks
    if shocks:  # at the mean of every private number the tree pays what it pays now; the multiples grow
        before, after = (accumulate(graph, x) for x in (numbers, changed))
        moved = [new[:, :, player] - scale * old[:, :, player] for new, old in zip(after[:2], before[:2], strict=True)]
        past, loading = shocks.past.copy(), shocks.past_loading.copy()
        past[:, :, player] = scale * past[:, :, player] + moved[0]
        loading[:, :, player] *= scale
        games: list[CutoffGame] = []
        for v, one in enumerate(shocks.games):
            payoff, own = one.payoff.copy(), one.loading.copy()
            payoff[:, player] = scale * payoff[:, player] + moved[1][v]
            own[:, player] *= scale
            games.append(replace(one, payoff=payoff, loading=own))
        shocks = replace(shocks, games=tuple(games), past=past, past_loading=loading)
    return replace(game, numbers=changed, shocks=shocks, origin=replace(game.origin, cache={}))


def security_levels(game: Game, player: int, variant: int = 0) -> Floats:
    """Return what a player can secure at every node when all others play against it, shape (n,).

    Zero-sum backward induction on the same graph; chance by the player's own beliefs, as the player evaluates it.

    Examples
    --------
    >>> import sim
    >>> float(security_levels(sim.compile(sim.load(sim.template())), 1)[0])
    -2.5
    """
    graph, numbers = game.graph, game.numbers
    value, arrival = np.empty(graph.node_count), np.empty(graph.node_count)
    for layer in range(graph.layer_count - 1, -1, -1):
        nodes, edges = graph.nodes(layer), graph.edges(layer)
        mover = int(graph.layer_player[layer])
        if mover == TERMINAL:
            value[nodes] = numbers.reward[variant, graph.node_final[nodes, player]]
        else:
            q = numbers.pay[variant, graph.edge_pay[edges], player] + arrival[graph.edge_dst[edges]]
            starts = graph.edge_start[nodes] - edges.start
            if mover == CHANCE:
                whole = np.repeat(q[None, :, None], len(graph.players), axis=2)
                value[nodes] = chance_values(game, layer, whole, slice(variant, variant + 1))[0, :, player]
            else:
                value[nodes] = (np.maximum if mover == player else np.minimum).reduceat(q, starts)
        arrival[nodes] = value[nodes]
        if graph.layer_boundary[layer]:
            arrival[nodes] = (
                numbers.reward[variant, graph.node_reward[nodes, player]]
                + numbers.discount[variant, player] * value[nodes]
            )
    return value


def _probabilities(game: Game) -> None:
    source = game.graph.edge_source()
    inner = np.diff(game.graph.edge_start) > 0
    for concept in _concepts(game):
        solution = solve(game, concept).require()
        _demand((solution.profile >= 0).all(), f"{concept} gives a negative probability")
        total = np.bincount(source, weights=solution.profile[0], minlength=game.graph.node_count)
        _demand(np.abs(total[inner] - 1).max() < TOLERANCE, f"probabilities of {concept} do not sum to 1 at some node")
        if game.origin.scenario.ladder:
            shares = play(solution).trajectory().sum(axis=2)
            _demand(np.abs(shares - 1).max() < TOLERANCE, f"paths of {concept} do not sum to 1 in some round")


def _concepts(game: Game) -> tuple[str, str]:
    """Choose a concept of exact best replies and one of noisy ones."""
    return ("perfect_bayesian" if game.types else "subgame_perfect"), "quantal_response"


def _certified(game: Game) -> None:
    if game.types:
        solve(game, "perfect_bayesian", starts=3).require()
    for ties in () if game.types else ("first", "uniform", "least_escalatory", "most_escalatory"):
        solve(game, "subgame_perfect", ties=ties).require()
    for precision in (0.0, 0.5, 20.0):
        solve(game, "quantal_response", precision=precision).require()


def _secure(game: Game) -> None:
    if game.types:  # what a type can secure depends on what it believes
        return
    values, _ = solve(game, "subgame_perfect").node_values()
    for i, name in enumerate(game.graph.players):
        short = security_levels(game, i) - values[:, i]
        _demand(
            short.max() <= ROUNDING * game.numbers.span[0, i],
            f"{name} gets {short.max():g} less than it can secure at node {int(short.argmax())}",
        )


def _precisions(game: Game) -> dict[str, float]:
    """Choose precisions at which the branch of quantal response has not forked: beyond a fork rounding decides which side it takes."""
    if not game.graph.simultaneous:
        return dict.fromkeys(game.graph.players, 0.75)
    return {name: 1.0 / float(span) for name, span in zip(game.graph.players, game.numbers.span[0], strict=True)}


def _scale_free(game: Game) -> None:
    scale = 4.0  # powers of two keep ties exact
    base = None if game.types else solve(game, "subgame_perfect")
    precision = _precisions(game)
    quantal = solve(game, "quantal_response", precision=precision)
    for i, name in enumerate(game.graph.players):
        changed = affine(game, i, scale, 0.0)
        _demand(
            base is None or np.array_equal(solve(changed, "subgame_perfect").profile, base.profile),
            f"rescaling the payoffs of {name} changes subgame perfection",
        )
        # prospect theory is invariant to scale, but a constant moves outcomes across the reference point
        counts_from = game.numbers.prospect is not None and (game.numbers.prospect[:, i] != 1).any()
        shift = 0.0 if counts_from else 2.0
        again = solve(
            affine(game, i, scale, shift), "quantal_response", precision={**precision, name: precision[name] / scale}
        )
        ended = (game.graph.layer_player[:-1] == TERMINAL).any()
        if not ended:  # where histories differ in length, a constant per round is no constant
            gap = np.abs(again.profile - quantal.profile).max()
            _demand(
                gap < ROUNDING,
                f"an affine change of the payoffs of {name}, with its λ divided, moves quantal response by {gap:g}",
            )


def _histories(game: Game) -> None:
    solution = solve(game, "quantal_response", precision=0.5)
    paths = play(solution)
    found = paths.histories(MAX_HISTORIES)
    if len(found) == MAX_HISTORIES:
        return
    total = sum(one.probability for one in found)
    _demand(abs(total - 1) < ROUNDING, f"the probabilities of all histories sum to {total:.9g}")
    reached = np.zeros(game.graph.node_count)
    for one in found:
        for node in {int(game.graph.edge_dst[step.edge]) for step in one.steps}:
            reached[node] += one.probability
    named = np.array([bool(label.text) for label in game.graph.labels])[game.graph.edge_label]
    checked = np.unique(game.graph.edge_dst[named])
    gap = np.abs(reached[checked] - paths.reached[0, checked])
    silent = np.unique(game.graph.edge_dst[~named])
    gap[np.isin(checked, silent)] = 0.0  # also entered by moments at which nothing happens, which histories leave out
    _demand(
        gap.max(initial=0.0) < ROUNDING,
        f"the forward pass and the enumeration of histories differ by {gap.max(initial=0.0):g}",
    )


def _round_trip(game: Game) -> None:
    scenario = game.origin.scenario
    _demand(loads(dump(scenario), scenario.file) == scenario, "writing and loading the scenario changes it")


def _relabelled(game: Game) -> None:
    scenario = game.origin.scenario
    document = dict(scenario.document)
    document["players"] = dict(reversed(list(document["players"].items())))
    document["moves"] = dict(reversed(list(document["moves"].items())))
    other = compile_game(
        loads(_toml(document), scenario.file),
        game.origin.settings,
        rounds=game.origin.rounds,
        node_limit=10 * game.graph.node_count,
        unrolled=True,
        hidden=game.types.privates if game.types else (),
        known=game.origin.told,
    )
    _demand(
        other.graph.node_count == game.graph.node_count,
        "the order of players and moves in the file changes the number of states",
    )
    for concept in _concepts(game):
        if concept == "perfect_bayesian":  # of several equilibria another may come first
            continue
        options = {"precision": _precisions(game)} if concept == "quantal_response" else {}
        first, second = solve(game, concept, **options).values[0], solve(other, concept, **options).values[0][::-1]
        gap = np.abs(first - second).max()
        _demand(
            gap <= ROUNDING * game.numbers.span.max(),
            f"the order of players and moves in the file moves the values of {concept} by {gap:g}",
        )


def _martingale(game: Game) -> None:
    if game.types is None:
        return
    whole = compile_game(
        game.origin.scenario, game.origin.settings, rounds=game.origin.rounds, hidden=game.types.privates, known=game.origin.told,
        merge=False, node_limit=100 * game.graph.node_count + 10_000,
    )  # fmt: skip
    precision = _precisions(game)
    merged, apart = (solve(one, "quantal_response", precision=precision).require() for one in (game, whole))
    gap = np.abs(merged.values - apart.values).max()
    _demand(gap <= ROUNDING * game.numbers.span.max(), f"merging histories moves values by {gap:g}")
    if apart.assessment is None or whole.types is None:
        return
    seen = sight(whole.types, apart.assessment.belief[0]).public
    ends = np.diff(whole.graph.edge_start) == 0
    mean = play(apart).reached[0, ends] @ seen[ends]
    gap = np.abs(mean - whole.types.prior[0]).max()
    _demand(gap < ROUNDING, f"beliefs at the end are, on average, {gap:g} away from those at the start")


INVARIANTS: dict[str, Callable[[Game], None]] = {
    "probabilities sum to 1 at every node and in every round": _probabilities,
    "the referee certifies every tie rule and precision": _certified,
    "each player's subgame-perfect value is at least its security level at every node": _secure,
    "positive affine changes of payoffs change nothing that they should not": _scale_free,
    "the forward pass agrees with the enumeration of histories": _histories,
    "writing and loading gives the scenario back": _round_trip,
    "the order of players and moves in the file does not matter": _relabelled,
    "beliefs are martingales, and what is merged may as well be apart": _martingale,
}
"""What every model must satisfy, by name; each takes a compiled game and raises :class:`InvariantError`."""


def check_invariants(
    scenario: Scenario, examples: int = 8, fixed: Mapping[str, Any] | None = None, rounds: int | None = None
) -> list[str]:
    """Hold a scenario against all invariants, at base values and at values drawn from the assumptions' ranges.

    Parameters
    ----------
    scenario
        A loaded scenario.
    examples
        How many sets of assumptions to draw; large games get fewer.
    fixed
        Assumptions that keep these values in every draw.
    rounds
        Play this many rounds instead of the scenario's.

    Returns
    -------
    list of str
        The invariants that hold.

    Raises
    ------
    InvariantError
        Naming the invariant that fails and the assumptions under which it does.

    Examples
    --------
    >>> import sim
    >>> len(check_invariants(sim.load(sim.template()), examples=2)) == len(INVARIANTS)
    True
    """
    base = compile_game(scenario, fixed, rounds=rounds, unrolled=True)  # of an endless game the rounds that are shown
    count = max(1, min(examples, 200_000 // max(base.graph.node_count, 1)))

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(settings_of(scenario))
    def hold(drawn: dict[str, float | str]) -> None:
        chosen = {**drawn, **(fixed or {})}
        try:
            game = compile_game(scenario, chosen, rounds=rounds, unrolled=True)
        except ScenarioError as error:  # a corner of the ranges where the rules break down is a finding of its own
            message = f"the scenario breaks down with {chosen}: {error}"
            raise InvariantError(message) from None
        _hold_all(game, chosen)

    _hold_all(base, dict(fixed or {}))
    hold()
    return list(INVARIANTS)


def _hold_all(game: Game, chosen: Mapping[str, Any]) -> None:
    """Hold one game against all invariants; where numbers are private, the game in which all know them at their means."""
    if game.shocks:
        drawn = zip(game.shocks.names, game.shocks.games[0].shocks, strict=True)
        known = {name: shock.centre for names, own in drawn for name, shock in zip(names, own, strict=True)}
        game = compile_game(
            game.origin.scenario, game.origin.settings, rounds=game.origin.rounds, known=game.origin.told | known
        )
    for name, invariant in INVARIANTS.items():
        try:
            invariant(game)
        except InvariantError as error:
            message = f"{name}: {error}; with {dict(chosen) or 'base values'}"
            raise InvariantError(message) from None
