"""Published crisis games with private shocks: the count of equilibria first, then their numbers."""

import itertools

import numpy as np
import pytest

from sim.game.cutoffs import Shock, cutoff_game
from sim.solve.cutoffs import search_cutoffs

# Lewis & Schultz (2003), with the parameters of the examples of the R package sigInt (Crisman-Cox & Gibilisco 2021): p_R, p_C, p_F by the mean of B's
# war payoff. The middle equilibrium at -2.8 stands in its source with p_R = 0.4715766, where a solver was started; it solves to 0.4724232.
SIGNALS = {
    -2.9: [[0.2511046, 0.9947895, 0.3096951], [0.5947228, 0.3798678, 0.2415628], [0.8133217, 0.2054518, 0.2087594]],
    -2.8: [[0.2964518, 0.9617251, 0.3062443], [0.4724232, 0.5823847, 0.2680376], [0.8740314, 0.1793114, 0.2021976]],
    -2.7: [[0.9078557, 0.1671387, 0.1988995]],
    -2.5: [[0.9473144, 0.1546852, 0.1953372]],
    -2.2: [[0.9763871, 0.1465387, 0.1928912]],
}


def end(*payoff, **loading):
    return {"payoff": payoff, "loading": loading}


def crisis(war_b, war_a=-1.9, audience=-1.2):
    """A challenges, B resists, A fights: normal shocks on both war payoffs and on A's backing down."""
    fight = end(war_a, war_b, A=(1.0, 0.0), B=(1.0,))
    settle = {"player": "A", "moves": {"fight": fight, "back down": end(audience, 1.0, A=(0.0, 1.0))}}
    answer = {"player": "B", "moves": {"resist": settle, "concede": end(1.0, 0.0)}}
    tree = {"player": "A", "moves": {"challenge": answer, "status quo": end(0.0, 1.0)}}
    return cutoff_game(["A", "B"], {"A": [Shock(), Shock()], "B": [Shock()]}, tree)


@pytest.mark.parametrize("war_b", SIGNALS)
def test_lewis_and_schultz(war_b):
    found = search_cutoffs(crisis(war_b))
    assert len(found.equilibria) == len(SIGNALS[war_b])
    assert found.complete
    assert found.dropped == 0
    seen = [one.probability[[2, 0, 4]] for one in sorted(found.equilibria, key=lambda one: one.probability[2])]
    np.testing.assert_allclose(seen, SIGNALS[war_b], atol=2e-6)
    assert [one.index for one in sorted(found.equilibria, key=lambda one: one.probability[2])] == [1, -1, 1][
        : len(seen)
    ]
    assert max(one.measures.worst for one in found.equilibria) < 1e-12


@pytest.mark.parametrize(
    ("of_action", "expected"),
    [(True, [0.42254294, 0.20894522, 0.36851184]), (False, [0.41184481, 0.21281619, 0.37533899])],
    ids=["agent", "private"],
)
def test_signorino_two_players_one_move_each(of_action, expected):
    """Signorino (1999, 2003): a shock on each action of player 1 (agent error), or on each of his payoffs (private information).

    P(y4) = Φ(u24 / √2); player 1 compares 0 with the expected value of going on, whose difference of shocks has variance 2, or 1 + p3² + p4².
    """
    one = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 1.0 if of_action else 0.0, 0.0 if of_action else 1.0)]
    later = {"y3": end(-1.0, 0.0, one=one[1], two=(1.0, 0.0)), "y4": end(1.0, 0.5, one=one[2], two=(0.0, 1.0))}
    tree = {"player": "one", "moves": {"y1": end(0.0, 0.0, one=one[0]), "go on": {"player": "two", "moves": later}}}
    found = search_cutoffs(cutoff_game(["one", "two"], {"one": [Shock()] * 3, "two": [Shock()] * 2}, tree))
    assert len(found.equilibria) == 1
    assert found.unknowns == 0
    np.testing.assert_allclose(found.equilibria[0].reach[[1, 3, 4]], expected, atol=1e-6)


def demand(chance, audience, cost_a, cost_b):
    """A escalates or not; B quits or resists; A attacks or backs down at an audience cost. War costs are uniform from 0."""
    war = end(chance, 1.0 - chance, A=(-1.0,), B=(-1.0,))
    settle = {"player": "A", "moves": {"attack": war, "back down": end(-audience, 1.0)}}
    tree = {
        "player": "A",
        "moves": {
            "escalate": {"player": "B", "moves": {"resist": settle, "quit": end(1.0, 0.0)}},
            "nothing": end(0.0, 1.0),
        },
    }
    return cutoff_game(
        ["A", "B"],
        {"A": [Shock(kind="uniform", low=0.0, high=cost_a)], "B": [Shock(kind="uniform", low=0.0, high=cost_b)]},
        tree,
    )


def demand_solved(chance, audience, cost_a, cost_b):
    """Solve :func:`demand` by hand: escalate, resist, attack.

    A attacks if his cost is at most p + a, a share α of his types. Resisting against a share φ of attackers, B gains φ (1 - p - c) + (1 - φ) over
    quitting, so that he quits with probability q(φ) = 1 - (1 - p + (1 - φ)/φ) / c_B, held to [0, 1]. Those who would back down escalate if
    q ≥ (1 - q) a. If q(α) > a / (1 + a) all escalate. If q(1) < a / (1 + a) only the attackers with p - c + q/(1 - q) ≥ 0 do. Between, bluffers mix so
    that q(φ) = a / (1 + a), that is φ = 1 / (p + c_B / (1 + a)), and α / φ escalate.
    """
    share = min(1.0, (chance + audience) / cost_a)

    def quits(attack):
        return min(1.0, max(0.0, 1.0 - (1.0 - chance + (1.0 - attack) / attack) / cost_b))

    level = audience / (1.0 + audience)
    if quits(share) > level:
        return [1.0, 1.0 - quits(share), share]
    if quits(1.0) < level:
        return [min(1.0, (chance + quits(1.0) / (1.0 - quits(1.0))) / cost_a), 1.0 - quits(1.0), 1.0]
    attack = 1.0 / (chance + cost_b / (1.0 + audience))
    return [share / attack, 1.0 - level, attack]


FEARON = {
    "bluffers mix": (0.5, 0.2, 2.0, 2.0),
    "few bluff": (0.5, 0.2, 2.0, 0.8),
    "none bluffs": (0.5, 0.5, 1.0, 0.6),
    "all escalate": (0.3, 0.5, 1.5, 3.0),
}


@pytest.mark.parametrize("case", FEARON)
def test_fearon_1994_in_two_steps(case):
    found = search_cutoffs(demand(*FEARON[case]))
    assert len(found.equilibria) == 1
    assert found.complete
    only = found.equilibria[0]
    np.testing.assert_allclose(only.probability[[0, 2, 4]], demand_solved(*FEARON[case]), atol=1e-9)
    assert only.mixed == (case in {"bluffers mix", "few bluff"})


def test_fearon_1994_audience_costs_raise_what_a_threat_says():
    """The larger the audience cost, the more of those who escalate go on to attack, as long as some bluff."""
    costs = [0.05, 0.1, 0.2, 0.4]
    attack = [search_cutoffs(demand(0.5, cost, 2.0, 2.0)).equilibria[0].probability[4] for cost in costs]
    assert len(attack) == 4
    assert all(late > early for early, late in itertools.pairwise(attack))


def signals(tied, size, win=0.6, cost_c=0.3, cost_d=0.3):
    """D signals or not at a sunk cost or one of backing down later; C challenges or not; D fights or concedes. Both value the good uniformly on [0, 1]."""

    def after(sent):
        sunk, audience = (0.0, size * sent) if tied else (size * sent, 0.0)
        fight = end(-cost_d - sunk, -cost_c, D=(win,), C=(1.0 - win,))
        settle = {"player": "D", "moves": {"fight": fight, "concede": end(-audience - sunk, 0.0, C=(1.0,))}}
        return {"player": "C", "moves": {"challenge": settle, "accept": end(-sunk, 0.0, D=(1.0,))}}

    unit = [Shock(kind="uniform", low=0.0, high=1.0)]
    return cutoff_game(
        ["D", "C"], {"D": unit, "C": unit}, {"player": "D", "moves": {"signal": after(True), "none": after(False)}}
    )


def signals_solved(tied, size, win=0.6, cost_c=0.3, cost_d=0.3):
    """Solve the equilibrium of :func:`signals` in which only types above v signal, some of whom would not fight: v, and C's acceptance after it.

    C gains v_C (1 - φ w) - φ c by challenging a share φ of fighters, so he accepts with probability q = φ c / (1 - φ w). Nobody who did not
    signal fights if v is below c_D / w, hence q = 0 there. After a sunk cost k fight those above f = c_D / w, after tied hands those above
    f = (c_D - m) / w: φ = (1 - f) / (1 - v). Type v is indifferent: q v = k, or q v = (1 - q) m. Both are linear in v once q is written out.
    If everybody fights after tied hands (m ≥ c_D), φ = 1 and q v + (1 - q)(w v - c_D) = 0.
    """
    if not tied:
        fighters = 1.0 - cost_d / win
        cut = size * (1.0 - fighters * win) / (fighters * cost_c + size)
    elif size < cost_d:
        fighters = 1.0 - (cost_d - size) / win
        cut = size * (1.0 - (win + cost_c) * fighters) / (fighters * cost_c + size)
    else:
        accepts = cost_c / (1.0 - win)
        return (1.0 - accepts) * cost_d / (accepts + (1.0 - accepts) * win), accepts
    share = fighters / (1.0 - cut)
    return cut, share * cost_c / (1.0 - share * win)


@pytest.mark.parametrize(("tied", "size"), [(False, 0.05), (False, 0.2), (True, 0.05), (True, 0.2), (True, 0.4)])
def test_fearon_1997_tied_hands_and_sunk_costs(tied, size):
    found = search_cutoffs(signals(tied, size))
    assert found.unknowns == 2
    cut, accepts = signals_solved(tied, size)
    telling = [one for one in found.equilibria if 1e-6 < one.probability[0] < 1.0 - 1e-6]
    assert len(telling) == 1
    np.testing.assert_allclose(telling[0].probability[[0, 3]], [1.0 - cut, accepts], atol=1e-9)
    assert telling[0].probability[4] == pytest.approx(1.0)  # who says nothing is always challenged
    own = [line for line in telling[0].cutoffs if line.node == 0]
    assert len(own) == 2
    assert [line.edge for line in own] == [1, 0]
    np.testing.assert_allclose([own[0].upper, own[1].lower], cut, atol=1e-9)
