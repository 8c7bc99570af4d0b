"""Tables and data of games from files: equilibria, logit responses and their branch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.game.strategic import StrategicGame
from sim.present.plain import Table, number

if TYPE_CHECKING:
    from sim.solve.game_files import GameAnswer, Path, Play

__all__ = ["answer_data", "answer_lines", "answer_tables", "path_data"]

MOST_ROWS = 60
DIGITS = 4


def _told(shares: dict[str, float]) -> str:
    """Write one strategy: a pure one by its action, a mixed one by the actions played."""
    played = {action: share for action, share in shares.items() if share > 0}
    if len(played) == 1:
        return next(iter(played))
    return " + ".join(f"{number(share, DIGITS)} {action}" for action, share in played.items())


def _kind(answer: GameAnswer) -> str:
    game = answer.game
    if isinstance(game, StrategicGame):
        return f"a strategic game of {' × '.join(str(len(own)) for own in game.actions)} actions"
    told = "perfect information" if game.perfect_information else "information sets"
    return f"a tree of {game.node_count:,} nodes with {told}"


def answer_lines(answer: GameAnswer) -> list[str]:
    """Say what was solved and how it was checked, line by line.

    Examples
    --------
    >>> import sim
    >>> from sim.solve.game_files import solve_file_game
    >>> print(answer_lines(solve_file_game(sim.read_game("scenarios/games/centipede_4.efg")))[0])
    Centipede of four moves, doubled stakes: subgame_perfect, certified
    """
    found, game = answer.certificate, answer.game
    status = "certified" if answer.status.certified else "not certified"
    bound = f"at most {found['tolerance']:g}"
    readings = {
        "max_gain": f"largest gain of any deviation, in units of the payoff range: {found.get('max_gain', 0.0):.2g} ({bound})",
        "one_shot": f"largest gain from one deviation, in units of the payoff range: {found.get('one_shot', 0.0):.2g} ({bound})",
        "residual": f"largest distance from the logit response: {found.get('residual', 0.0):.2g} ({bound})",
    }
    lines = [
        f"{game.title or 'a game'}: {answer.concept}, {status}",
        f"{_kind(answer)}; players {', '.join(game.players)}",
        f"certificate: {readings[found['kind']]}",
    ]
    if answer.path is not None and len(answer.path.precisions):
        least = found["smallest_singular_value"]
        told = ", ".join(
            f"{name} {number(x)}" for name, x in zip(game.players, answer.path.precisions[-1].tolist(), strict=True)
        )
        lines.append(
            f"precision λ: {told}; traced from λ = 0, {found['turning_points']} turning point(s); smallest singular value {least:.2g}"
        )
    else:
        lines.append(f"complete: {answer.complete}")
    if answer.ties:
        lines.append(f"several actions are best at: {', '.join(answer.ties)}; the first was taken")
    return lines


def _strategic_table(answer: GameAnswer) -> Table:
    players = answer.game.players
    parts = any(play.component for play in answer.plays)
    rows = [
        (
            str(place + 1),
            *(_told(play.strategies[player]) for player in players),
            *(number(float(x), DIGITS) for x in play.values),
            *((", ".join(str(k + 1) for k in play.component),) if parts else ()),
        )
        for place, play in enumerate(answer.plays[:MOST_ROWS])
    ]
    shown = f", the first {MOST_ROWS} of {len(answer.plays)}" if len(answer.plays) > MOST_ROWS else ""
    title = "Equilibria" if answer.concept == "nash" else "Logit response"
    columns = ("", *players, *(f"value of {player}" for player in players), *(("component",) if parts else ()))
    return Table(title=title + shown, columns=columns, rows=rows)


def _tree_tables(play: Play, players: tuple[str, ...]) -> list[Table]:
    rows = [(player, place, _told(shares)) for player, own in play.strategies.items() for place, shares in own.items()]
    shown = f", the first {MOST_ROWS} of {len(rows)} information sets" if len(rows) > MOST_ROWS else ""
    values = [(player, number(float(x), DIGITS)) for player, x in zip(players, play.values, strict=True)]
    return [
        Table(title="Values", columns=("player", "value"), rows=values),
        Table(title="Strategies" + shown, columns=("player", "at", "plays"), rows=rows[:MOST_ROWS]),
    ]


def answer_tables(answer: GameAnswer) -> list[Table]:
    """Tabulate an answer; at most sixty rows, the JSON holds all.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> from sim.solve.game_files import solve_file_game
    >>> chicken = StrategicGame.from_matrices([[3, 2], [4, 1]], [[3, 4], [2, 1]], actions=(("swerve", "drive"), ("swerve", "drive")))
    >>> answer_tables(solve_file_game(chicken))[0].rows[1]
    ('2', '0.5000 swerve + 0.5000 drive', '0.5000 swerve + 0.5000 drive', '2.5000', '2.5000', '2')
    """
    if isinstance(answer.game, StrategicGame):
        return [_strategic_table(answer)]
    return _tree_tables(answer.plays[0], answer.game.players)


def path_data(path: Path) -> dict[str, Any]:
    """Return a branch as plain data: labels of the probabilities, precisions and probabilities point by point.

    Examples
    --------
    >>> import sim
    >>> from sim.solve.game_files import solve_file_game
    >>> answer = solve_file_game(sim.read_game("scenarios/games/selten_horse.efg"), "quantal_response")
    >>> data = path_data(answer.path)
    >>> data["labels"][0], data["precision"][0]
    ({'player': 'Player 1', 'at': 'Player 1:1', 'action': 'R'}, [0.0, 0.0, 0.0])
    """
    return {
        "labels": [{"player": player, "at": place, "action": action} for player, place, action in path.labels],
        "turning_points": path.turns,
        "precision": path.precisions.tolist(),
        "probability": path.profiles.tolist(),
    }


def answer_data(answer: GameAnswer) -> dict[str, Any]:
    """Return what ``sim solve FILE.nfg --json`` prints.

    Examples
    --------
    >>> import sim
    >>> from sim.solve.game_files import solve_file_game
    >>> data = answer_data(solve_file_game(sim.read_game("scenarios/games/centipede_4.efg")))
    >>> data["equilibria"][0]["values"]
    {'one': 0.8, 'two': 0.2}
    """
    game = answer.game
    plays = [
        {
            "strategies": play.strategies,
            "values": dict(zip(game.players, np.asarray(play.values).tolist(), strict=True)),
            "max_gain": play.gain,
            **({"component": list(play.component)} if play.component else {}),
        }
        for play in answer.plays
    ]
    return {
        "game": game.title,
        "kind": "strategic" if isinstance(game, StrategicGame) else "tree",
        "players": game.players,
        "concept": answer.concept,
        "options": answer.options,
        "status": "certified" if answer.status.certified else "not certified",
        "certificate": answer.certificate,
        "complete": answer.complete,
        "ties": answer.ties,
        "equilibria": plays,
        **({"path": path_data(answer.path)} if answer.path is not None else {}),
    }
