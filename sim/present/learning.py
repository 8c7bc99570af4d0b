"""Learning as tables and plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table, number

if TYPE_CHECKING:
    from sim.analysis.learning import Learning

__all__ = ["learning_data", "learning_lines", "learning_tables", "who"]

TITLES = {
    "fictitious": "fictitious play",
    "stochastic": "stochastic fictitious play",
    "replicator": "replicator dynamics",
}
SHOWN_RUNS = 6


def who(found: Learning) -> list[tuple[str, tuple[str, ...]]]:
    """Return the name and the actions behind each array of shares.

    Examples
    --------
    >>> from sim.analysis.learning import replicator
    >>> from sim.game.strategic import StrategicGame
    >>> who(replicator(StrategicGame.from_matrices([[0, 1], [1, 0]], [[0, 1], [1, 0]]), 1.0, populations=1))
    [('population', ('1', '2'))]
    """
    names = list(zip(found.game.players, found.game.actions, strict=True))
    return names if len(found.shares) == len(names) else [("population", found.game.actions[0])]


def learning_lines(found: Learning) -> list[str]:
    """Return what to say above the tables."""
    title = TITLES[found.rule]
    span = f"time {found.times[-1]:g}" if found.rule == "replicator" else f"{len(found.plays):,} plays"
    checked = {
        "fictitious": "every play a best answer within",
        "stochastic": "log odds of choices within",
        "replicator": "two integrations agree within",
    }[found.rule]
    return [f"{found.game.title or 'a game'}: {title}, {span}", f"checked: {checked} {max(found.error, 1e-9):.0e}"]


def learning_tables(found: Learning) -> list[Table]:
    """Tabulate the shares at some moments, what was earned, and the last cells played."""
    places = found.thinned(6)
    shown = "time" if found.rule == "replicator" else "plays"
    heads = [f"{name}: {action}" for name, actions in who(found) for action in actions]
    rows = [(f"{found.times[t]:g}", *(number(float(x)) for shares in found.shares for x in shares[t])) for t in places]
    what = "Shares" if found.rule == "replicator" else "Frequencies so far"
    out = [Table(title=what, columns=(shown, *heads), rows=rows)]
    regret = found.regret
    averages = found.averages
    out.append(
        Table(
            title="At the end",
            columns=("player", "earned on average", "regret of the shares"),
            rows=[
                (name, number(float(averages[i])), number(float(regret[i])))
                for i, name in enumerate(found.game.players)
            ],
        )
    )
    cells, lengths = found.runs()
    if len(cells) > 1:
        last = list(zip(cells[-SHOWN_RUNS:], lengths[-SHOWN_RUNS:], strict=True))
        out.append(
            Table(
                title=f"The last cells played, of {len(cells):,} runs",
                columns=("cell", "times in a row"),
                rows=[
                    (" / ".join(found.game.actions[i][int(cell[i])] for i in range(2)), f"{int(length)}")
                    for cell, length in last
                ],
            )
        )
    return out


def learning_data(found: Learning, seed: int) -> dict[str, Any]:
    """Return what ``sim learn --json`` prints: at most 500 points of the trajectory."""
    places = found.thinned()
    cells, lengths = found.runs()
    return {
        "game": found.game.title,
        "rule": found.rule,
        "seed": seed,
        "error": found.error,
        "players": [{"name": name, "actions": list(actions)} for name, actions in who(found)],
        "times": found.times[places],
        "shares": [shares[places] for shares in found.shares],
        "averages": found.averages,
        "regret": found.regret,
        "runs": len(cells),
        "last_runs": [
            {"cell": cell, "length": length}
            for cell, length in zip(cells[-SHOWN_RUNS:].tolist(), lengths[-SHOWN_RUNS:].tolist(), strict=True)
        ],
    }
