"""Two evaluators that must agree, on random typed expressions and random states; and where an expression has no value."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scenario.evaluate import evaluate, evaluate_one, gain, undefined
from sim.scenario.expression import parse
from sim.scenario.tree import DIVISIONS, Labels, Scope, Symbol

RUNG = Labels("rung", ("peace", "crisis", "clash", "armed"), ordered=True)
PACT = Labels("pact", ("kept", "torn"))
SCOPE = Scope(
    symbols={
        "rung": Symbol("variable", RUNG),
        "pact": Symbol("variable", PACT),
        "arms": Symbol("variable", "number"),
        "hotline": Symbol("variable", "truth"),
        "cost": Symbol("assumption", "number"),
        "risk": Symbol("assumption", "number"),
    },
    labels={"rung": RUNG, "pact": PACT},
)
NUMBERS = st.sampled_from(["0", "1", "2", "0.5", "3", "-1", "0.1", "7", "1e3"])


def numbers(depth):
    """Write a number from operations that both evaluators round alike, to the last bit."""
    if not depth:
        return NUMBERS | st.sampled_from(["rung", "arms", "cost", "risk", "1 * hotline", "rung.clash"])
    below, condition = numbers(depth - 1), truths(depth - 1)
    return st.one_of(
        below,
        st.tuples(below, st.sampled_from(["+", "-", "*", "/", "//", "%"]), below).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(st.sampled_from(["min", "max"]), below, below, below).map(
            lambda t: f"{t[0]}({t[1]}, {t[2]}, {t[3]})"
        ),
        st.tuples(below, below, below).map(lambda t: f"clip({t[0]}, {t[1]}, {t[2]})"),
        st.tuples(st.sampled_from(["abs", "sqrt", "-", "+", "gain"]), below).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(below, NUMBERS).map(lambda t: f"gain({t[0]}, {t[1]})"),
        st.tuples(below, condition, below).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.tuples(condition, below).map(lambda t: f"({t[0]}) * {t[1]}"),
        condition.map(lambda text: f"-({text})"),
    )


def truths(depth):
    """Write a condition."""
    simple = st.sampled_from(
        ["hotline", "pact == torn", "rung > crisis", "rung in (peace, armed)", "true", "pact not in (kept, torn)"]
    )
    if not depth:
        return simple
    below, number = truths(depth - 1), numbers(depth - 1)
    compare = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        simple,
        st.tuples(number, compare, number).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.tuples(number, compare, number, compare, number).map(lambda t: f"({t[0]}) {t[1]} ({t[2]}) {t[3]} ({t[4]})"),
        st.tuples(number, number, number).map(lambda t: f"({t[0]}) in ({t[1]}, {t[2]})"),
        st.tuples(below, st.sampled_from(["and", "or"]), below).map(lambda t: f"(({t[0]}) {t[1]} ({t[2]}))"),
        below.map(lambda text: f"not ({text})"),
    )


SMOOTH = st.tuples(
    st.sampled_from(
        ["exp(({}) / 8)", "log({})", "({}) ** 3", "({}) ** -2", "({}) ** 0.5", "gain({}, 2.25, 0.88)", "exp({})"]
    ),
    numbers(2),
).map(lambda t: t[0].format(t[1]))
"""Numbers whose last bits depend on the library of functions in use."""

STATES = st.fixed_dictionaries(
    {
        "rung": st.lists(st.integers(0, 3), min_size=5, max_size=5),
        "pact": st.lists(st.integers(0, 1), min_size=5, max_size=5),
        "arms": st.lists(st.integers(-2, 4), min_size=5, max_size=5),
        "hotline": st.lists(st.integers(0, 1), min_size=5, max_size=5),
        "cost": st.lists(st.sampled_from([0.0, 0.25, 1.0, -3.0, 1e200]), min_size=3, max_size=3),
        "risk": st.lists(st.floats(-2, 2), min_size=1, max_size=1),
    }
)


def arrays(state):
    """Put states along the last axis and variants along the first."""
    out = {name: np.array(values, dtype=float) for name, values in state.items()}
    return out | {"cost": out["cost"].reshape(-1, 1), "risk": out["risk"].reshape(-1, 1)}


def each(state):
    """Walk over all variants and states one at a time."""
    for variant, cost in enumerate(state["cost"]):
        for place in range(5):
            one = {name: float(state[name][place]) for name in ("rung", "pact", "arms", "hotline")}
            yield variant, place, one | {"cost": cost, "risk": state["risk"][0]}


def read(text, wanted):
    expression, problems = parse(text, SCOPE, wanted)
    assert not problems, (text, problems)
    return expression


@settings(max_examples=300)
@given(case=st.tuples(numbers(3), st.just("number")) | st.tuples(truths(3), st.just("truth")), state=STATES)
def test_arrays_agree_with_single_numbers(case, state):
    node = read(*case).node
    whole = np.broadcast_to(evaluate(node, arrays(state)), (3, 5))
    assert whole.dtype == np.float64
    for variant, place, one in each(state):
        alone = evaluate_one(node, one)
        assert whole[variant, place] == alone or (math.isnan(whole[variant, place]) and math.isnan(alone)), (
            case[0],
            one,
        )


@settings(max_examples=150)
@given(text=SMOOTH, state=STATES)
def test_arrays_agree_with_single_numbers_up_to_the_last_bits(text, state):
    node = read(text, "number").node
    whole = np.broadcast_to(evaluate(node, arrays(state)), (3, 5))
    for variant, place, one in each(state):
        assert whole[variant, place] == pytest.approx(evaluate_one(node, one), rel=1e-12, abs=0, nan_ok=True), (
            text,
            one,
        )


class NoValueError(Exception):
    """An operation that has no value was needed."""


def strictly(node, env):
    """Evaluate like a person: skip what if, and, or skip; stop at what has no value."""
    if node.op == "if":
        return strictly(node.parts[1] if strictly(node.parts[0], env) else node.parts[2], env)
    if node.op == "and":
        return all(strictly(part, env) for part in node.parts)
    if node.op == "or":
        return any(strictly(part, env) for part in node.parts)
    values = [strictly(part, env) for part in node.parts]
    bad = node.op in DIVISIONS and values[1] == 0
    bad |= node.op == "log" and values[0] <= 0
    bad |= node.op == "sqrt" and values[0] < 0
    bad |= node.op == "**" and values[0] == 0 and values[1] < 0
    bad |= node.op == "**" and values[0] < 0 and values[1] != int(values[1])
    if bad:
        raise NoValueError
    return evaluate_one(node, env)


def has_no_value(node, env):
    try:
        strictly(node, env)
    except NoValueError:
        return True
    return False


@settings(max_examples=300)
@given(case=st.tuples(numbers(3) | SMOOTH, st.just("number")) | st.tuples(truths(3), st.just("truth")), state=STATES)
def test_undefined_is_what_stops_a_person(case, state):
    expression = read(*case)
    whole = np.broadcast_to(undefined(expression.node, arrays(state)), (3, 5))
    for variant, place, one in each(state):
        assert whole[variant, place] == has_no_value(expression.node, one), (case[0], one)
    assert expression.partial or not whole.any()


@pytest.mark.parametrize(
    ("text", "arms", "missing"),
    [
        ("1 / arms", 0, True),
        ("1 / arms if arms != 0 else 0", 0, False),
        ("1 / arms if arms == 0 else 0", 0, True),
        ("arms != 0 and 1 / arms > 1", 0, False),
        ("1 / arms > 1 and arms != 0", 0, True),
        ("arms == 0 or 1 / arms > 1", 0, False),
        ("min(1, 1 / arms)", 0, True),
        ("5 % arms", 0, True),
        ("5 // arms", 0, True),
        ("log(arms)", 0, True),
        ("log(arms)", 1, False),
        ("sqrt(arms)", -1, True),
        ("arms ** -1", 0, True),
        ("arms ** 0.5", -1, True),
        ("gain(arms, 2, 0.5)", -1, False),
        ("gain(arms, 2, -1)", 0, True),
    ],
)
def test_where_there_is_no_value(text, arms, missing):
    node = read(text, "unknown").node
    assert bool(undefined(node, {"arms": np.array(float(arms))})) is missing


def test_divisions_can_be_told_from_the_rest():
    node = read("log(arms) + 1 / arms", "number").node
    env = {"arms": np.array([0.0, -1.0, 1.0])}
    assert undefined(node, env).tolist() == [True, True, False]
    assert undefined(node, env, DIVISIONS).tolist() == [True, False, False]


def test_the_value_function_of_prospect_theory():
    """Tversky and Kahneman (1992), eq. 5, with their medians 0.88 and 2.25."""
    assert gain(100.0, 2.25, 0.88) == pytest.approx(100**0.88)
    assert gain(-100.0, 2.25, 0.88) == pytest.approx(-2.25 * 100**0.88)
    assert gain(0.0, 2.25, 0.88) == 0


@pytest.mark.parametrize("size", [1, 5, 64])
def test_a_broken_power_of_minus_infinity_has_no_value(size):
    """Numpy's way for an exponent of one half differs from its way for others."""
    for exponent in ("0.5", "0.3", "-0.5"):
        node = read(f"(-cost / 0) ** {exponent}", "number").node
        assert np.isnan(evaluate(node, {"cost": np.ones(size)})).all()
        assert math.isnan(evaluate_one(node, {"cost": 1.0}))
    assert evaluate_one(read("(-cost / 0) ** 3", "number").node, {"cost": 1.0}) == -math.inf
