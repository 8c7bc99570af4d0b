"""The strategic form of a game tree."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import OptionError
from sim.game.strategic import StrategicGame
from sim.game.tree import CHANCE

if TYPE_CHECKING:
    from sim.game.tree import Tree

__all__ = ["strategic_form"]

MOST_CELLS = 4_000_000


def strategic_form(tree: Tree) -> StrategicGame:
    """Return a tree's strategic form: a pure strategy is one action at each of a player's information sets.

    Raises
    ------
    OptionError
        Above four million payoffs.

    Examples
    --------
    >>> import sim
    >>> strategic_form(sim.read_game("scenarios/games/stripped_poker.efg")).payoffs[0]
    array([[ 0. ,  1. ],
           [ 0.5,  0. ],
           [-1.5,  0. ],
           [-1. , -1. ]])
    """
    own = [[h for h, one in enumerate(tree.infosets) if one.player == i] for i in range(len(tree.players))]
    plans = [[len(tree.infosets[h].actions) for h in mine] for mine in own]
    shape = [int(np.prod(np.array(counts, dtype=object))) for counts in plans]
    if np.prod(np.array(shape, dtype=object)) * len(shape) > MOST_CELLS:
        sizes = " × ".join(f"{size:,}" for size in shape)
        raise OptionError(f"the strategic form has {sizes} pure strategies; write the tree as .efg instead")
    takes = [
        {tree.infosets[h].first + choice[k]: None for k, h in enumerate(mine)} if mine else {}
        for mine, counts in zip(own, plans, strict=True)
        for choice in product(*map(range, counts))
    ]
    starts = np.cumsum([0, *shape])
    masks = np.zeros((int(starts[-1]), tree.action_count), dtype=np.bool_)
    for row, taken in enumerate(takes):
        masks[row, list(taken)] = True
    payoffs = np.zeros((len(shape), *shape))
    owner, odds = tree.action_player, tree.chance
    for end in tree.terminals:
        way: list[int] = []
        n, chance = int(end), 1.0
        while n > 0:
            a = int(tree.node_action[n])
            if owner[a] == CHANCE:
                chance *= odds[a]
            else:
                way.append(a)
            n = int(tree.node_parent[n])
        fits = [
            np.flatnonzero(masks[starts[i] : starts[i + 1], [a for a in way if owner[a] == i]].all(axis=1))
            for i in range(len(shape))
        ]
        for i in range(len(shape)):
            payoffs[(i, *np.ix_(*fits))] += chance * tree.payoffs[end, i]
    names = tuple(
        tuple(
            " / ".join(tree.infosets[h].actions[k] for h, k in zip(mine, choice, strict=True)) or "nothing"
            for choice in product(*map(range, counts))
        )
        for mine, counts in zip(own, plans, strict=True)
    )
    return StrategicGame(players=tree.players, actions=names, payoffs=payoffs, title=tree.title)
