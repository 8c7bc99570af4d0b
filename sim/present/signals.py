"""Signals in tables and as plain data: what choices tell, what knowing is worth, and all equilibria of sender–receiver games."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.present.plain import Table, number
from sim.solve.sender_receiver import sender_receiver

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.analysis.knowledge import Knowledge
    from sim.analysis.signals import Signal, Told
    from sim.kinds import Floats
    from sim.solve.contract import Solution
    from sim.solve.signalling import SignallingEquilibrium

__all__ = [
    "knowledge_data",
    "knowledge_lines",
    "knowledge_tables",
    "signal_data",
    "signal_tables",
    "signalling_data",
    "signalling_lines",
    "signalling_table",
]

SAME = 1e-9


def _number(value: float) -> str:
    """Write a number, rounding error as nothing, and what does not exist as a dash."""
    return "–" if np.isnan(value) else number(0.0 if abs(value) < SAME else value)


def _range(low: float, high: float) -> str:
    """Write a range; one number if it is none."""
    return _number(low) if np.isnan(low) or high - low < SAME else f"{_number(low)} to {_number(high)}"


def _yes(value: bool) -> str:  # noqa: FBT001
    return "yes" if value else "no"


def signal_tables(signal: Signal) -> list[Table]:
    """Tabulate what choices tell of their maker's type, and what they cost him.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.signals import signal_at
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian")
    >>> tells, costs = signal_tables(signal_at(solution, 0))
    >>> tells.rows[2]
    ('quiche', '0', '0', '0', '0', '1')
    >>> costs.rows[0]
    ('beer', 'surly', '1', '1', '2', '2', '3', 'duel: 0 (0), leave: 2 (1)')
    """
    index = (
        "no index: the type is known"
        if np.isnan(signal.separation)
        else f"separation index {_number(signal.separation)}"
    )
    title = (
        f"What the choice tells of {signal.player}'s type: {_number(signal.information)} of {_number(signal.entropy)} nats "
        f"({_number(signal.bits)} bits); {index}"
    )
    blank = ("", *("" for _ in signal.types))
    told = Table(
        title=title,
        columns=(
            "choice",
            "played",
            *(f"by {name}" for name in signal.types),
            *(f"believed: {name}" for name in signal.types),
        ),
        rows=[("(before)", *blank, *map(_number, signal.prior)), *(_told_row(one) for one in _kinds_of(signal))],
    )
    spread = signal.spread()
    rows: list[tuple[str, ...]] = []
    for a, one in enumerate(signal.actions):
        for k, name in enumerate(signal.types):
            if np.isnan(signal.value[k, a]):
                continue
            replies = ", ".join(
                f"{reply.text}: {_number(reply.follows[k])} ({_number(reply.probability[k])})"
                for reply in signal.replies[a]
                if reply.text and not np.isnan(reply.follows[k])
            )
            numbers = (one.probability[k], signal.sunk[k, a], signal.follows[k, a], spread[k, a], signal.value[k, a])
            rows.append((one.name, name, *map(_number, numbers), replies or "–"))
    heads = ("action", "type", "played", "at once", "then", "spread", "in all", "then, by reply (how likely)")
    costs = Table(
        title="What it costs: at once, whatever follows (sunk), and then, by what others reply (tied hands)",
        columns=heads,
        rows=rows,
    )
    return [told, costs]


def _kinds_of(signal: Signal) -> list[Told]:
    """List actions, moves and groups, each name once."""
    seen: dict[str, Told] = {}
    for one in (*signal.actions, *signal.moves, *signal.groups):
        seen.setdefault(one.name, one)
    return list(seen.values())


def _told_row(one: Told) -> tuple[str, ...]:
    return (one.name, _number(one.share), *map(_number, one.probability), *map(_number, one.posterior))


def signal_data(signal: Signal) -> dict[str, Any]:
    """Return what choices tell, as plain data.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.signals import signal_at
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian")
    >>> float(signal_data(signal_at(solution, 0))["costs"]["beer"]["surly"]["at_once"])
    1.0
    """

    def by_type(row: Floats) -> dict[str, float]:
        return dict(zip(signal.types, row.tolist(), strict=True))

    spread = signal.spread()
    return {
        "player": signal.player,
        "types": signal.types,
        "believed": by_type(signal.prior),
        "information_nats": signal.information,
        "information_bits": signal.bits,
        "entropy_nats": signal.entropy,
        "separation": signal.separation,
        "choices": {
            one.name: {
                "played": one.share,
                "by_type": by_type(one.probability),
                "believed_after": by_type(one.posterior),
            }
            for one in _kinds_of(signal)
        },
        "costs": {
            one.name: {
                name: {
                    "at_once": signal.sunk[k, a],
                    "then": signal.follows[k, a],
                    "spread": spread[k, a],
                    "in_all": signal.value[k, a],
                    "replies": {
                        reply.text: {"probability": reply.probability[k], "then": reply.follows[k]}
                        for reply in signal.replies[a]
                    },
                }
                for k, name in enumerate(signal.types)
            }
            for a, one in enumerate(signal.actions)
        },
    }


def knowledge_tables(found: Knowledge) -> list[Table]:
    """Tabulate what it is worth to be known, to know, and to have each signal.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.knowledge import knowledge
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian")
    >>> known, others, signals = knowledge_tables(knowledge(solution))
    >>> known.rows[1], others.rows
    (('stranger', 'weak', '0.100', '2', '1', '-1', '1', '-2 to -1'), [('stranger', 'bully', '0.100')])
    """
    known: list[tuple[str, ...]] = []
    others: list[tuple[str, ...]] = []
    for one in found.known:
        for k, name in enumerate(one.types):
            numbers = (one.prior[k], one.hidden[k], one.known[k], one.being_known[k], one.ignorance[k])
            known.append((one.player, name, *map(_number, numbers), _range(one.low[k], one.high[k])))
        mean = float(one.prior @ one.hidden)
        numbers = (1.0, mean, mean + one.ex_ante, one.ex_ante, -one.ex_ante)
        known.append((one.player, "(before it is drawn)", *map(_number, numbers), ""))
        others += [(one.player, name, _number(gain)) for name, gain in one.others.items()]
    heads = ("player", "type", "prior", "hidden", "known", "being known", "others' ignorance", "being known, all found")
    out = [
        Table(title=f"What it is worth to be known: {found.selection}", columns=heads, rows=known),
        Table(title="What others would gain if all knew the type", columns=("type of", "player", "gain"), rows=others),
    ]
    if found.signals:
        owners = [(one.player, k, name) for one in found.known for k, name in enumerate(one.types)]
        rows = [
            (
                one.name,
                *(_number(one.by_type[player][k]) for player, k, _ in owners),
                *(_number(value) for value in one.values.values()),
                ", ".join(f"{name} {_range(one.low[player][k], one.high[player][k])}" for player, k, name in owners)
                if found.several and one.game.solution
                else "",
            )
            for one in found.signals
        ]
        heads = (
            "signal",
            *(f"{player}: {name}" for player, _, name in owners),
            *(f"{name}, in all" for name in found.base.game.graph.players),
            "all found",
        )
        out.append(
            Table(title="What each signal is worth: the game less the game without it", columns=heads, rows=rows)
        )
    return out


def knowledge_lines(found: Knowledge) -> list[str]:
    """Say which equilibria were compared, and what is not solved.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.knowledge import knowledge
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian", starts=0)
    >>> knowledge_lines(knowledge(solution, moves=["fight"]))[-1].startswith("not solved: without fight: ")
    True
    """
    concepts = {game.concept for one in found.known for game in one.games} | {one.game.concept for one in found.signals}
    out = [f"compared: {found.selection}, under {' and '.join(sorted({found.base.concept} | concepts))}"]
    if found.several:
        out.append(
            "several equilibria were found: the ranges hold whichever of them are compared, and there may be more"
        )
    return out + [f"not solved: {one}" for one in found.unsolved]


def knowledge_data(found: Knowledge) -> dict[str, Any]:
    """Return what knowing is worth, as plain data.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.knowledge import knowledge
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian")
    >>> float(knowledge_data(knowledge(solution))["known"]["stranger"]["types"]["weak"]["being_known"].round(9))
    -1.0
    """
    return {
        "selection": found.selection,
        "known": {
            one.player: {
                "types": {
                    name: {
                        "prior": one.prior[k],
                        "hidden": one.hidden[k],
                        "known": one.known[k],
                        "being_known": one.being_known[k],
                        "range": [one.low[k], one.high[k]],
                        "concept": one.games[k].concept,
                        "certified": one.games[k].solution is not None,
                        "equilibria": one.games[k].found,
                    }
                    for k, name in enumerate(one.types)
                },
                "ex_ante": one.ex_ante,
                "others_gain": one.others,
            }
            for one in found.known
        },
        "signals": {
            one.name: {
                "by_type": one.by_type,
                "low": one.low,
                "high": one.high,
                "values": one.values,
                "certified": one.game.solution is not None,
                "equilibria": one.game.found,
            }
            for one in found.signals
        },
        "unsolved": found.unsolved,
    }


def signalling_lines(solution: Solution) -> list[str]:
    """Say whether all equilibria of a sender–receiver game are listed; nothing for other games.

    Examples
    --------
    >>> import sim
    >>> signalling_lines(sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian"))
    ['sender–receiver game: 2 equilibria, and no others but by replies to messages nobody sends; all 29 pairs of supports examined']
    """
    found = solution.signalling
    if found is None:
        return []
    count = f"{len(found)} {'equilibrium' if len(found) == 1 else 'equilibria'}"
    if any(not one.unique for one in found):
        count = f"{len(found)} {'family' if len(found) == 1 else 'families'} of equilibria"
    if not found.complete:
        return [f"sender–receiver game: {count}; {found.uncertified} more were found and not certified"]
    return [
        f"sender–receiver game: {count}, and no others but by replies to messages nobody sends; all {found.examined:,} pairs of supports examined"
    ]


def signalling_table(solution: Solution) -> Table:
    """Tabulate all equilibria of a sender–receiver game: what is learned, which criteria they pass, what they are worth.

    Examples
    --------
    >>> import sim
    >>> table = signalling_table(sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian"))
    >>> table.rows[1]
    ('', 'pooling', 'surly: quiche; weak: quiche', 'no', 'no', '2', '3', '0.900')
    """
    found = solution.signalling
    if found is None:
        raise TypeError("the game was not answered as a sender-receiver game")
    form = sender_receiver(solution.game)
    players = solution.game.graph.players
    sender, receiver = ("sender", "receiver") if form is None else (players[form.sender], players[form.receiver])
    last = () if form is None or form.receiver < 0 else (receiver,)
    rows = [
        (
            "shown" if _shown(solution, one) else "",
            one.kind
            + ("" if one.unique else f", one of a family of dimension {one.dimension[0]} + {one.dimension[1]}"),
            _strategy(found.game.types, found.game.messages, one.assessment.sender),
            _yes(one.intuitive),
            _yes(one.d1),
            *map(_number, one.sender_value),
            *((_number(one.receiver_value),) if last else ()),
        )
        for one in found
    ]
    heads = ("", "kind", "what types do", "intuitive", "D1", *(f"{sender}: {name}" for name in found.game.types), *last)
    return Table(title="Equilibria of the sender–receiver game", columns=heads, rows=rows)


def _strategy(types: Iterable[str], messages: tuple[str, ...], table: Floats) -> str:
    """Write what types send."""
    out: list[str] = []
    for name, row in zip(types, table, strict=True):
        sent = [(message, share) for message, share in zip(messages, row.tolist(), strict=True) if share > SAME]
        pure = len(sent) == 1
        out.append(
            f"{name}: " + ", ".join(message if pure else f"{message} {number(share)}" for message, share in sent)
        )
    return "; ".join(out)


def _shown(solution: Solution, one: SignallingEquilibrium) -> bool:
    """Tell whether the solution that is shown belongs to a family."""
    form = sender_receiver(solution.game)
    if form is None or solution.assessment is None:
        return False
    near = 1e-6
    profile = solution.assessment.profile[0]
    edges = np.asarray(solution.game.graph.edges_of(form.node))
    drawn = form.game.drawn
    sender = profile[:, edges][drawn]
    inside = [(sender >= one.sender_low[drawn] - near) & (sender <= one.sender_high[drawn] + near)]
    for m, node in enumerate(form.replies):
        if node >= 0 and one.on_path[m]:
            reply = profile[0, np.asarray(solution.game.graph.edges_of(node))]
            places = list(form.places[m])
            inside.append(
                (reply >= one.receiver_low[m, places] - near) & (reply <= one.receiver_high[m, places] + near)
            )
    return all(bool(part.all()) for part in inside)


def signalling_data(solution: Solution) -> dict[str, Any]:
    """Return all equilibria of a sender–receiver game as plain data; nothing for other games.

    Examples
    --------
    >>> import sim
    >>> found = signalling_data(sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian"))
    >>> [(one["kind"], one["intuitive"]) for one in found["signalling"]["equilibria"]]
    [('pooling', True), ('pooling', False)]
    """
    found = solution.signalling
    if found is None:
        return {}
    game = found.game
    return {
        "signalling": {
            "complete": found.complete,
            "examined": found.examined,
            "uncertified": found.uncertified,
            "types": game.types,
            "messages": game.messages,
            "replies": game.reply_names,
            "equilibria": [
                {
                    "kind": one.kind,
                    "shown": _shown(solution, one),
                    "intuitive": one.intuitive,
                    "d1": one.d1,
                    "dimension": one.dimension,
                    "on_path": one.on_path,
                    "sender": one.assessment.sender,
                    "receiver": one.assessment.receiver,
                    "belief": one.assessment.belief,
                    "sender_value": one.sender_value,
                    "receiver_value": one.receiver_value,
                }
                for one in found
            ],
        }
    }
