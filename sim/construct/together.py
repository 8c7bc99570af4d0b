"""Simultaneous turns: what each player may do, and where every combination leads.

A turn of several players is expanded like any other, with one edge for each joint action. What is available to one player may not
depend on what another chooses, so the joint actions of a node are all combinations of the players' available actions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sim.construct.frontier import LabelSource, Option, View
from sim.construct.joint import MAX_JOINT, joint_actions
from sim.game.graph import SIMULTANEOUS, EdgeLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.construct.expand import Expander
    from sim.construct.frontier import Frontier
    from sim.construct.joint import Joint
    from sim.kinds import Bools, Floats, Keys
    from sim.scenario.model import Action

__all__ = ["joint_layer"]


def joint_layer(
    expander: Expander, number: int, keys: Keys, frontiers: tuple[Frontier, Frontier], *, boundary: bool
) -> None:
    """Make the nodes of a simultaneous turn, with one edge for each joint action.

    Parameters
    ----------
    expander
        Whose present turn it is.
    number
        The round.
    keys
        The states of the nodes.
    frontiers
        Where play goes on, and where moves that end the game lead.
    boundary
        Whether a round starts here.
    """
    after, ends = frontiers
    expander.add_layer(SIMULTANEOUS, number, keys, boundary=boundary)
    choices = _choices(expander)
    view = View(expander.codec, keys, expander.constants(number))
    free = [_available(expander, name, actions, view) for name, actions in choices]
    if expander.scenario.forbid:
        _forbid_jointly(expander, free, choices, view)
    for (name, _), one in zip(choices, free, strict=True):
        expander.refuse_idle(name, number, keys, np.asarray(one.any(axis=0)))
    weights = [_weights(actions, one) for (_, actions), one in zip(choices, free, strict=True)]
    chance = expander.frontier(merge=False)
    uncertain: list[tuple[Action, Keys]] = []
    options: list[Option] = []
    for joint in expander.joint[expander.turn]:
        where = np.flatnonzero(_together(free, joint))
        if len(where):
            option = _joint_option(
                expander, joint, [name for name, _ in choices], view.part(where), (after, ends, chance)
            )
            shares = [weight[place][where] for weight, place in zip(weights, joint.places, strict=True)]
            option.where, option.weight = where, np.multiply.reduce(shares)
            options.append(option)
            if joint.action.branches:
                uncertain.append((joint.action, keys[where]))
    degrees = [one.sum(axis=0) for one in free]
    index = expander.scenario.player_ids.index
    expander.shapes[len(expander.layers) - 1] = {
        index(name): degree for (name, _), degree in zip(choices, degrees, strict=True)
    }
    degree = np.multiply.reduce(degrees).astype(np.int64)
    expander.blocks.append(expander.edges(degree, options, (after, ends, chance)))
    if uncertain:
        expander.uncertain_layer(SIMULTANEOUS, number, uncertain, chance, after, ends)


def _choices(expander: Expander) -> list[tuple[str, list[Action]]]:
    """List who chooses at the present turn among which actions; make the joint actions once for each turn."""
    scenario, turn = expander.scenario, expander.turn
    together = scenario.turns[turn].together
    choices = [
        (name, [x for x in scenario.actions if name in x.players and x.move not in expander.removed])
        for name in together
    ]
    if turn not in expander.joint:
        count = math.prod(len(actions) for _, actions in choices)
        if count > MAX_JOINT:
            what = f"turn {turn + 1} of {' and '.join(together)} makes {count:,} joint actions"
            expected, advice = f"at most {MAX_JOINT:,}", "offer fewer moves or choices"
            raise expander.fail(f"turns.{turn}", "too-many-actions", what, expected, advice)
        expander.joint[turn] = joint_actions(scenario, choices)
    return choices


def _together(free: Sequence[Bools], joint: Joint) -> Bools:
    """Tell in which states all parts of a joint action are available."""
    return np.logical_and.reduce([one[place] for one, place in zip(free, joint.places, strict=True)])


def _available(expander: Expander, name: str, actions: Sequence[Action], view: View) -> Bools:
    """Tell which of a player's actions are available in which states, shape (actions, states)."""
    mover = float(expander.scenario.player_ids.index(name))
    known = {word for types in expander.types.get(name, ())[:1] for word in types}
    for action in actions:
        if action.guard.reads & known:
            what = f"the guard of {action.move} reads {' and '.join(sorted(action.guard.reads & known))} where several choose at once"
            advice = "let the player who knows it move alone, or make the move cost that type more instead"
            raise expander.fail(f"{action.place}.when", "private", what, "a guard that every type shares", advice)
    rows = [
        expander.holds(
            action.guard,
            view.with_constants({"mover": mover, **action.chosen}),
            f"{action.place}.when",
            f"guard of {action.move}",
        )
        for action in actions
    ]
    return np.array(rows, dtype=bool).reshape(len(actions), len(view.codes))


def _forbid_jointly(
    expander: Expander, free: list[Bools], choices: Sequence[tuple[str, Sequence[Action]]], view: View
) -> None:
    """Take away actions that enter a forbidden state whatever the others do; stop where it depends on the others."""
    size = len(free)
    bad = np.zeros((*(len(actions) for _, actions in choices), len(view.codes)), dtype=bool)
    good = np.zeros_like(bad)
    for joint in expander.joint[expander.turn]:
        where = np.flatnonzero(_together(free, joint))
        part = view.part(where)
        for branch in (joint.action.branches or (joint.action,)) if len(where) and not joint.clash else ():
            keys, _ = expander.successors(branch.effects, part, branch.place, joint.action.label)
            bad[(*joint.places, where)] |= expander.forbidden(keys, part.constants)
        good[(*joint.places, where)] = ~bad[(*joint.places, where)]
    for axis, one in enumerate(free):
        free[axis] = one & good.any(axis=tuple(other for other in range(size) if other != axis))
    left = np.ones_like(bad)
    for axis, one in enumerate(free):
        left &= np.expand_dims(one, tuple(other for other in range(size) if other != axis))
    wrong = np.argwhere(bad & left)
    if len(wrong):
        *places, state = (int(x) for x in wrong[0])
        labels = [actions[place].label for (_, actions), place in zip(choices, places, strict=True)]
        shown = expander.codec.show(int(view.codes[state]))
        what = f"{' and '.join(labels)} together enter a forbidden state in round {int(view['round'])} from {shown}"
        advice = "guard one of the moves: in a simultaneous turn what is available may not depend on the others"
        expected = "moves that are forbidden whatever the others do, or never"
        raise expander.fail("forbid", "forbidden", what, expected, advice)


def _joint_option(
    expander: Expander, joint: Joint, together: Sequence[str], part: View, frontiers: tuple[Frontier, ...]
) -> Option:
    """Push where a joint action leads."""
    action = joint.action
    if joint.clash:
        state = expander.codec.show(int(part.codes[0]))
        what = f"{action.label} both write {joint.clash} in round {int(part['round'])} at {state}"
        advice = f'say combine = "add", "max" or "min" in [state.{joint.clash}], or guard one of the moves'
        raise expander.fail(f"state.{joint.clash}", "clash", what, "one writer, or a rule to combine them", advice)
    if action.branches:
        reached, target = part.codes, 2
    else:
        reached, _ = expander.successors(action.effects, part, action.place, action.label)
        target = 1 if action.ends else 0
    parts = tuple(
        EdgeLabel(text=one.label, move=one.move, player=name, group=one.group)
        for name, one in zip(together, joint.parts, strict=True)
    )
    label = EdgeLabel(text=action.label, player=" & ".join(together), parts=parts)
    key = ("joint", expander.turn, joint.places)
    return Option(
        label=expander.label(key, label, LabelSource(action=action, player=SIMULTANEOUS)),
        group="",
        where=None,
        frontier=target,
        position=frontiers[target].push(reached),
        count=len(reached),
        keys=reached,
    )


def _weights(actions: Sequence[Action], free: Bools) -> Floats:
    """Return the weight of each of a player's actions in each state: the available members of a group share one unit."""
    out = np.ones(free.shape)
    for group in dict.fromkeys(action.group for action in actions if action.group):
        members = [place for place, action in enumerate(actions) if action.group == group]
        out[members] /= np.maximum(free[members].sum(axis=0), 1)
    return out
