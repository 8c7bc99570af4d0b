"""Numbers for stated orders: counted against enumeration, drawn against order statistics, walked against exact draws."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.errors import OptionError
from sim.numerics.orders import (
    Poset,
    cardinalise,
    count_extensions,
    cycle_of,
    draw,
    effective_size,
    exact,
    extensions,
    hit_and_run,
    width,
)

MEASURES = ["uniform", "dirichlet"]
LARGE = Poset(size=30, above=tuple((place, place + 1) for place in range(0, 28, 2)))


def chain(size):
    return Poset(size=size, above=tuple(itertools.pairwise(range(size))))


@st.composite
def posets(draw_, most=6):
    size = draw_(st.integers(2, most))
    order = draw_(st.permutations(range(size)))
    pairs = [(order[a], order[b]) for a, b in itertools.combinations(range(size), 2)]
    return Poset(size=size, above=tuple(draw_(st.lists(st.sampled_from(pairs), unique=True, max_size=8))))


def enumerated(order):
    """List the linear extensions, worst first, by trying every row."""
    return [
        row
        for row in itertools.permutations(range(order.size))
        if all(row.index(better) > row.index(worse) for better, worse in order.above)
    ]


# -- counting ---------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(posets())
def test_extensions_are_those_of_enumeration_and_equally_likely(order):
    """One coordinate is cut into as many intervals of one length as there are extensions: each midpoint finds another."""
    wanted = enumerated(order)
    assert len(wanted) == count_extensions(order) > 0
    middles = (np.arange(len(wanted)) + 0.5) / len(wanted)
    found = [tuple(row) for row in extensions(order, middles[:, None]).tolist()]
    assert sorted(found) == sorted(wanted)


def test_several_coordinates_find_every_extension_once():
    order = Poset(size=8, above=())
    assert width(order) - 6 == 2
    first, second = (np.arange(20160) + 0.5) / 20160, np.array([0.25, 0.75])
    unit = np.array(np.meshgrid(first, second)).reshape(2, -1).T
    found = {tuple(row) for row in extensions(order, unit).tolist()}
    assert len(found) == math.factorial(8)


def fence(size):
    return Poset(size=size, above=tuple((a, a + 1) if a % 2 == 0 else (a + 1, a) for a in range(size - 1)))


def subsets(size):
    sets = range(2**size)
    return Poset(
        size=2**size, above=tuple((a, b) for a in sets for b in sets if a & b == b and (a ^ b).bit_count() == 1)
    )


def tableau(rows, columns):
    cells = list(itertools.product(range(rows), range(columns)))
    index = {cell: at for at, cell in enumerate(cells)}
    below = [(cell, (cell[0] + a, cell[1] + b)) for cell in cells for a, b in ((0, 1), (1, 0))]
    return Poset(size=len(cells), above=tuple((index[a], index[b]) for a, b in below if b in index))


@pytest.mark.parametrize(
    ("order", "count"),
    [
        *((fence(size), number) for size, number in zip(range(2, 9), (1, 2, 5, 16, 61, 272, 1385), strict=True)),
        (subsets(3), 48),
        (subsets(4), 1_680_384),
        (tableau(3, 3), 42),
        (tableau(4, 4), 24_024),
        (tableau(5, 5), 701_149_020),
        (chain(62), 1),
        (Poset(size=15, above=()), math.factorial(15)),
        (Poset(size=40, above=tuple((a, a + 1) for a in range(39) if a != 19)), math.comb(40, 20)),
        (
            Poset(size=48, above=tuple((a, a + 1) for a in range(47) if a % 12 != 11)),
            math.factorial(48) // math.factorial(12) ** 4,
        ),
    ],
)
def test_published_numbers_of_linear_extensions(order, count):
    """Fences: Euler's zigzag numbers. Subsets: OEIS A046873. Tableaux: the hook length formula. Chains: multinomials, beyond 2⁵³."""
    assert count_extensions(order) == count


# -- drawing ----------------------------------------------------------------------------------------------------------


def check(order, values):
    assert (values.min(axis=1) == 0).all()
    assert (values.max(axis=1) == 1).all()
    assert (np.diff(np.sort(values, axis=1), axis=1) > 0).all(), "no two tie"
    for better, worse in order.above:
        assert (values[:, better] > values[:, worse]).all()


@settings(max_examples=200, deadline=None)
@given(posets(9), st.sampled_from(MEASURES), st.data())
def test_every_point_of_the_cube_respects_the_order(order, measure, data):
    coordinate = st.sampled_from([0.0, 1.0, 0.5, 1e-300, 1 - 2**-53]) | st.floats(0, 1)
    size = width(order, measure)
    rows = data.draw(st.lists(st.lists(coordinate, min_size=size, max_size=size), min_size=1, max_size=4))
    check(order, cardinalise(order, np.array(rows).reshape(len(rows), size), measure))


def test_a_total_order_needs_no_coordinate_for_its_extension():
    assert [width(chain(size), measure) for size in (2, 3, 6) for measure in MEASURES] == [0, 0, 1, 2, 4, 5]
    assert cardinalise(chain(2), np.empty((3, 0))).tolist() == [[1, 0]] * 3
    assert cardinalise(chain(4), np.empty((0, 2))).shape == (0, 4)


def test_sorted_uniforms_of_a_total_order_are_its_places():
    unit = np.random.default_rng(1).random((1000, 4))
    found = cardinalise(chain(6), unit)
    assert np.allclose(found[:, 1:-1][:, ::-1], np.sort(unit, axis=1), atol=1e-11)


def close(values, mean, spread, size):
    """Compare a mean with its exact value, at five standard errors."""
    assert np.abs(values.mean(axis=0) - mean).max() < 5 * spread / math.sqrt(size)


def test_means_and_variances_are_those_of_uniform_order_statistics():
    size, count = 7, 200_000
    values, effective = draw(chain(size), count, np.random.default_rng(2))
    assert effective == count
    place = np.arange(size)[::-1]
    mean = place / (size - 1)
    variance = place * (size - 1 - place) / ((size - 1) ** 2 * size)
    close(values, mean, 0.2, count)
    close((values - mean) ** 2, variance, 0.1, count)


def test_gaps_are_dirichlet():
    """Each gap is Beta(½, (m − 1)/2), and two of them have the covariance of the Dirichlet distribution."""
    size, count = 6, 50_000
    parts = size - 1
    values, _ = draw(chain(size), count, np.random.default_rng(3), "dirichlet")
    gaps = -np.diff(values, axis=1)
    assert gaps.shape == (count, parts)
    for gap in gaps.T:
        assert stats.kstest(gap, stats.beta(0.5, (parts - 1) / 2).cdf).pvalue > 1e-4
    products = gaps[:, 0] * gaps[:, 1]
    close(products[:, None], 0.25 / (parts / 2 * (parts / 2 + 1)), products.std(), count)


@settings(max_examples=20, deadline=None)
@given(posets(5), st.sampled_from(MEASURES))
def test_means_of_a_partial_order_are_averages_over_its_extensions(order, measure):
    rows = enumerated(order)
    mean = np.array([[row.index(member) for member in range(order.size)] for row in rows]).mean(axis=0) / (
        order.size - 1
    )
    values, effective = draw(order, 20_000, np.random.default_rng(4), measure)
    assert effective == 20_000
    close(values, mean, 0.5, effective)


# -- walking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order", [chain(4), fence(6), Poset(size=5, above=((0, 1), (0, 2)))], ids=["chain", "fence", "loose"]
)
def test_hit_and_run_agrees_with_exact_draws(order):
    walked, effective = hit_and_run(order, 20_000, np.random.default_rng(5))
    check(order, walked)
    assert 1000 < effective < 20_000
    drawn, _ = draw(order, 200_000, np.random.default_rng(6))
    close(walked, drawn.mean(axis=0), 0.5, effective)
    close(walked**2, (drawn**2).mean(axis=0), 0.5, effective)
    ranked = (np.argsort(walked, axis=1) == np.argsort(drawn, axis=1)[0]).all(axis=1)
    assert abs(ranked.mean() - 1 / count_extensions(order)) < 5 * 0.5 / math.sqrt(effective)


@pytest.mark.parametrize("measure", MEASURES)
def test_orders_with_too_many_down_sets_are_walked_through(measure):
    assert not exact(LARGE)
    values, effective = draw(LARGE, 2000, np.random.default_rng(7), measure)
    assert values.shape == (2000, 30)
    check(LARGE, values)
    assert 20 < effective < 2000
    with pytest.raises(OptionError, match=r"order of 30 members has more than 1,048,576 down-sets"):
        count_extensions(LARGE)
    assert not exact(Poset(size=62, above=()))


@pytest.mark.parametrize("count", [1, 3, 70])
def test_few_draws_are_made_too(count):
    values, effective = hit_and_run(LARGE, count, np.random.default_rng(8))
    assert values.shape == (count, 30)
    assert 0 < effective <= count


def test_the_effective_size_of_a_known_process():
    """Of an autoregressive process with coefficient ρ, a draw is worth (1 − ρ) / (1 + ρ) independent ones."""
    rho, chains, draws = 0.7, 8, 5000
    rng = np.random.default_rng(9)
    found = np.empty((chains, draws, 1))
    found[:, 0, 0] = rng.standard_normal(chains)
    for step in range(1, draws):
        found[:, step, 0] = rho * found[:, step - 1, 0] + math.sqrt(1 - rho**2) * rng.standard_normal(chains)
    assert effective_size(found) == pytest.approx(chains * draws * (1 - rho) / (1 + rho), rel=0.15)
    assert effective_size(np.zeros((2, 10, 3))) == 20
    stuck = np.repeat(rng.standard_normal((4, 1, 1)), 1000, axis=1)
    assert effective_size(stuck) < 20


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Poset(size=1, above=()), "expected 2 to 62"),
        (lambda: Poset(size=63, above=()), "expected 2 to 62"),
        (lambda: Poset(size=3, above=((0, 3),)), "names another"),
        (lambda: Poset(size=3, above=((0, 1), (1, 2), (2, 0))), "0 > 1 > 2 > 0"),
        (lambda: cardinalise(chain(4), np.empty((2, 3))), r"shape \(2, 3\).*expected \(v, 2\)"),
        (lambda: cardinalise(chain(4), np.empty((2, 2)), "normal"), "no measure 'normal'"),
    ],
)
def test_what_is_no_order(call, says):
    with pytest.raises(OptionError, match=says):
        call()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_a_circle_is_found_where_there_is_one(pairs):
    circle = cycle_of(tuple(pairs))
    free = any(all(row.index(a) > row.index(b) for a, b in pairs) for row in itertools.permutations(range(6)))
    assert bool(circle) != free
    assert all(pair in pairs for pair in itertools.pairwise(circle))
    assert not circle or circle[0] == circle[-1]
