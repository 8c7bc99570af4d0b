"""Solve games that were read from files: strategic games and trees, under the concepts that fit them.

================================  ================================================================================
game                              concepts
================================  ================================================================================
strategic, two players            ``nash``: all extreme equilibria; ``quantal_response``
strategic, any number of players  ``nash``: all pure equilibria, one in mixed strategies; ``quantal_response``
tree, perfect information         ``subgame_perfect``; ``nash``; ``quantal_response``
tree, information sets            ``nash``: one equilibrium in behaviour strategies; ``quantal_response``, agent form
================================  ================================================================================

Every profile in an answer was measured by the referee; without one that is certified there is a :class:`~sim.errors.NoAnswerError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError, did_you_mean
from sim.game.strategic import StrategicGame
from sim.kinds import Status
from sim.solve.quantal_response import precisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.game.tree import Tree
    from sim.kinds import Floats
    from sim.solve.behaviour import Traced

__all__ = ["OPTIONS", "GameAnswer", "Path", "Play", "default_concept", "solve_file_game"]

OPTIONS: dict[str, tuple[str, ...]] = {
    "nash": ("ties",),
    "subgame_perfect": (),
    "quantal_response": ("precision", "limit"),
}
"""The concepts, each with the options it takes."""
PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Play:
    """One profile.

    Attributes
    ----------
    strategies : dict
        By player, then by information set (of a tree only), then by action: probabilities.
    values : float array, (i,)
    gain : float
        The most that any player gains by any deviation, in units of his payoff range; NaN where it cannot be measured.
    component : tuple of int
        Of two-player strategic games: the maximal Nash components that it belongs to.
    """

    strategies: Mapping[str, Any]
    values: Floats
    gain: float
    component: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """A branch of logit responses from λ = 0 on.

    Attributes
    ----------
    precisions : float array, (k, i)
    profiles : float array, (k, a)
    labels : tuple of tuples of str, (a,)
        Player, information set (empty for strategic games) and action.
    turns : int
        How often the precision turned back or forth.
    """

    precisions: Floats
    profiles: Floats
    labels: tuple[tuple[str, str, str], ...]
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GameAnswer:
    """What was found.

    Attributes
    ----------
    game, concept, options
        What was asked.
    status
        See :class:`~sim.kinds.Status`.
    certificate : dict
        The referee's numbers, the bound, and for quantal response the smallest singular value and whether it was traced from λ = 0.
    plays : tuple of Play
    complete : str
        How it is known that all equilibria are listed; ``"one of possibly several"`` where one was sought.
    ties : tuple of str
        Information sets of a perfect-information tree at which several actions are best.
    path
        For quantal response.

    Examples
    --------
    >>> import sim
    >>> answer = solve_file_game(sim.read_game("scenarios/games/selten_horse.efg"), "quantal_response", precision=1.0)
    >>> answer.status.name, round(answer.plays[0].strategies["Player 3"]["Player 3:1"]["R"], 6)
    ('CERTIFIED', 0.603155)
    """

    game: StrategicGame | Tree
    concept: str
    options: Mapping[str, Any]
    status: Status
    certificate: Mapping[str, Any]
    plays: tuple[Play, ...]
    complete: str
    ties: tuple[str, ...] = ()
    path: Path | None = field(default=None, repr=False)


def default_concept(game: StrategicGame | Tree) -> str:
    """Return the concept to ask for if none is named.

    Examples
    --------
    >>> import sim
    >>> default_concept(sim.read_game("scenarios/games/centipede_4.efg"))
    'subgame_perfect'
    """
    return "nash" if isinstance(game, StrategicGame) or not game.perfect_information else "subgame_perfect"


def _strategic_strategies(game: StrategicGame, profile: Sequence[Floats]) -> dict[str, Any]:
    return {
        player: {action: float(share) for action, share in zip(actions, own, strict=True)}
        for player, actions, own in zip(game.players, game.actions, profile, strict=True)
    }


def _tree_strategies(tree: Tree, profile: Floats) -> dict[str, Any]:
    out: dict[str, dict[str, dict[str, float]]] = {player: {} for player in tree.players}
    for name, one in zip(tree.names(), tree.infosets, strict=True):
        if one.player >= 0:
            shares = zip(one.actions, profile[one.places], strict=True)
            out[tree.players[one.player]][name] = {action: float(share) for action, share in shares}
    return out


def _tree_labels(tree: Tree) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (tree.players[one.player] if one.player >= 0 else "", name, action)
        for name, one in zip(tree.names(), tree.infosets, strict=True)
        for action in one.actions
    )


def _precision(game: StrategicGame | Tree, value: Any) -> Floats:
    return precisions(value, game.players, 1)[0]


def _nash_strategic(game: StrategicGame, options: Mapping[str, Any]) -> GameAnswer:
    """All equilibria of two players; of more, all pure ones and one in mixed strategies."""
    from sim.solve.many_players import one_equilibrium, pure_equilibria
    from sim.solve.nash import equilibria

    if len(game.players) == PAIR:
        found = equilibria(game.payoffs[0], game.payoffs[1], **options)
        plays = tuple(
            Play(
                strategies=_strategic_strategies(game, (one.row, one.column)),
                values=one.values,
                gain=one.max_regret,
                component=one.component,
            )
            for one in found
        )
        complete = found[0].complete
    else:
        from sim.game.strategic import action_values, regrets

        profiles = [
            [np.eye(len(own))[k] for own, k in zip(game.actions, place, strict=True)]
            for place in pure_equilibria(game, **options)
        ]
        complete = f"proved for pure equilibria ({len(profiles)}); one in mixed strategies was sought"
        mixed = one_equilibrium(game)
        if not any(all(np.array_equal(a, b) for a, b in zip(mixed.profile, one, strict=True)) for one in profiles):
            profiles.append(list(mixed.profile))
        plays = tuple(
            Play(
                strategies=_strategic_strategies(game, one),
                values=np.array([action_values(game.payoffs, one, i) @ own for i, own in enumerate(one)]),
                gain=float(regrets(game.payoffs, one).max()),
            )
            for one in profiles
        )
    certificate = {"kind": "max_gain", "tolerance": 1e-8, "max_gain": max(one.gain for one in plays)}
    return GameAnswer(
        game=game,
        concept="nash",
        options=options,
        status=Status.CERTIFIED,
        certificate=certificate,
        plays=plays,
        complete=complete,
    )


def _response_strategic(game: StrategicGame, options: Mapping[str, Any]) -> GameAnswer:
    from sim.solve.logit_path import logit_branch

    limit = bool(options.get("limit", False))
    found = logit_branch(game, _precision(game, options.get("precision", 1.0)), limit=limit)
    labels = tuple(
        (player, "", action) for player, own in zip(game.players, game.actions, strict=True) for action in own
    )
    path = Path(precisions=found.precisions, profiles=found.profiles, labels=labels, turns=found.turns)
    play = Play(strategies=_strategic_strategies(game, found.profile), values=found.values, gain=found.max_regret)
    certificate = _logit_certificate(found.residual, found.max_regret, found.singular, path, limit=limit)
    return GameAnswer(
        game=game, concept="quantal_response", options=options, status=Status.CERTIFIED, certificate=certificate,
        plays=(play,), complete="one of possibly several", path=path,
    )  # fmt: skip


def _logit_certificate(residual: float, gain: float, singular: float, path: Path, *, limit: bool) -> dict[str, Any]:
    return {
        "kind": "max_gain" if limit else "residual",
        "tolerance": 1e-8 if limit else 1e-9,
        "residual": residual,
        "max_gain": gain,
        "smallest_singular_value": singular,
        "traced_from_zero": True,
        "turning_points": path.turns,
        "points": len(path.precisions),
        "precision": path.precisions[-1].tolist(),
    }


def _from_traced(
    tree: Tree, concept: str, options: Mapping[str, Any], found: Traced, *, limit: bool = False
) -> GameAnswer:
    path = Path(precisions=found.precisions, profiles=found.profiles, labels=_tree_labels(tree), turns=found.turns)
    gain = float(found.measures.gains.max())
    play = Play(strategies=_tree_strategies(tree, found.profile), values=found.measures.values, gain=gain)
    if concept == "nash":
        certificate: dict[str, Any] = {"kind": "max_gain", "tolerance": 1e-8, "max_gain": gain}
    else:
        certificate = _logit_certificate(found.measures.residual, gain, found.singular, path, limit=limit)
    return GameAnswer(
        game=tree, concept=concept, options=options, status=Status.CERTIFIED, certificate=certificate, plays=(play,),
        complete="one of possibly several", path=path if concept == "quantal_response" else None,
    )  # fmt: skip


def _solve_tree(tree: Tree, concept: str, options: Mapping[str, Any]) -> GameAnswer:
    from sim.solve import behaviour

    if concept == "subgame_perfect":
        profile, measures, ties = behaviour.backward(tree)
        play = Play(
            strategies=_tree_strategies(tree, profile), values=measures.values, gain=float(measures.gains.max())
        )
        certificate = {
            "kind": "one_shot",
            "tolerance": 1e-8,
            "one_shot": measures.one_shot,
            "max_gain": play.gain,
            "ties": len(ties),
        }
        complete = "one of several: ties" if ties else "proved"
        return GameAnswer(
            game=tree,
            concept=concept,
            options=options,
            status=Status.CERTIFIED,
            certificate=certificate,
            plays=(play,),
            complete=complete,
            ties=ties,
        )
    if concept == "nash":
        return _from_traced(tree, concept, options, behaviour.one_nash(tree))
    precision = _precision(tree, options.get("precision", 1.0))
    limit = bool(options.get("limit", False))
    if limit and not (precision > 0).all():
        raise OptionError("the limit needs a precision above 0 for every player; their ratios count")
    found = behaviour.limit(tree, precision) if limit else behaviour.quantal_response(tree, precision)
    return _from_traced(tree, concept, options, found, limit=limit)


def solve_file_game(game: StrategicGame | Tree, concept: str | None = None, **options: Any) -> GameAnswer:
    """Solve a game that was read from a file.

    Parameters
    ----------
    game
        See ``sim.read_game``.
    concept
        ``nash``, ``subgame_perfect`` or ``quantal_response``; by default as :func:`default_concept` says.
    **options
        ``ties`` of ``nash``: payoffs that differ by no more than this share of the range count as equal (strategic games). ``precision`` of
        ``quantal_response``: λ for all, or a dict by player; ``limit``: follow the branch to its end instead, at these ratios.

    Raises
    ------
    OptionError
        For unknown concepts and options, and games that do not fit them.
    NoAnswerError
        If nothing was certified.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> chicken = StrategicGame.from_matrices([[3, 2], [4, 1]], [[3, 4], [2, 1]])
    >>> answer = solve_file_game(chicken)
    >>> len(answer.plays), answer.complete
    (3, 'proved')
    """
    name = concept or default_concept(game)
    if name not in OPTIONS:
        raise OptionError(f"'{name}' does not solve game files; {did_you_mean(name, OPTIONS)}")
    for option in options:
        if option not in OPTIONS[name] or (option == "ties" and not isinstance(game, StrategicGame)):
            raise OptionError(
                f"{name} of this game has no option '{option}'; {did_you_mean(option, OPTIONS[name]) or 'it takes none'}"
            )
    if not isinstance(game, StrategicGame):
        return _solve_tree(game, name, options)
    if name == "subgame_perfect":
        raise OptionError("a strategic game has no subgames; ask for --concept nash or quantal_response")
    return _nash_strategic(game, options) if name == "nash" else _response_strategic(game, options)
