"""Which private types are hidden in a run, and how likely everybody takes each combination to be."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.frontier import locate
from sim.construct.histories import Hidden
from sim.construct.shocks import Draws, check_draws, draws_of
from sim.errors import OptionError, ScenarioError, did_you_mean
from sim.scenario.evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sim.kinds import Floats
    from sim.scenario.model import Private, Scenario

__all__ = ["lane_values", "prior_of", "types_of", "who_knows"]

SUM_TOLERANCE = 1e-9


def who_knows(
    scenario: Scenario, hidden: Iterable[str] | str | None = None, known: Mapping[str, str | float] | None = None
) -> tuple[Hidden | Draws | None, dict[str, float]]:
    """Decide which private types are hidden in a run.

    Parameters
    ----------
    scenario
        A loaded scenario.
    hidden
        Names, ``"all"``, or None for those that have no ``known_as``.
    known
        Values that everybody knows, by name.

    Returns
    -------
    tuple
        What is hidden (types, or numbers, or None), and the values that everybody knows.

    Raises
    ------
    OptionError
        For a name or a value that does not exist, for a type that is neither hidden nor known, and for labels and numbers hidden at once.
    ScenarioError
        For a hidden number that is read where cut-offs cannot follow.

    Examples
    --------
    >>> import sim
    >>> who_knows(sim.load("scenarios/entry_deterrence.toml"), known={"resolve": "strong"})
    (None, {'resolve': 1.0})
    """
    names = [one.id for one in scenario.privates]
    chosen = (
        names if hidden == "all" else [] if hidden is None else [hidden] if isinstance(hidden, str) else list(hidden)
    )
    told = dict(known or {})
    for name in (*chosen, *told):
        if name not in names:
            raise OptionError(
                f"'{name}' is not a private type of {scenario.file or scenario.title}; {did_you_mean(name, names) or 'it has none'}"
            )
    both = [name for name in chosen if name in told and hidden != "all"]
    if both:
        raise OptionError(f"'{both[0]}' is to be hidden and known; expected one of them")
    fixed: dict[str, float] = {}
    secret: list[Private] = []
    for one in scenario.privates:
        if one.id in told:
            fixed[one.id] = _value(one, told[one.id])
        elif one.id in chosen or (one.known_as is None and hidden is None):
            secret.append(one)
        elif one.known_as is not None:
            fixed[one.id] = one.known_as
        else:
            raise OptionError(
                f"private type '{one.id}' is neither hidden nor known; hide it, or say what it is known to be (--known {one.id}=…)"
            )
    numbers = [one for one in secret if one.labels is None]
    if numbers and len(numbers) < len(secret):
        labelled = next(one.id for one in secret if one.labels)
        raise OptionError(
            f"private types '{labelled}' (labels) and '{numbers[0].id}' (a number) are hidden at once; expected labels or numbers alone: "
            f"say what one is known to be (--known {numbers[0].id}=…)"
        )
    if numbers:
        draws = draws_of(scenario, numbers)
        check_draws(scenario, draws)
        return draws, fixed
    return (_hidden(scenario, secret) if secret else None), fixed


def _value(private: Private, given: str | float) -> float:
    """Return the number of a known value."""
    if private.labels is None:
        if isinstance(given, (int, float)) and np.isfinite(given):
            return float(given)
        raise OptionError(f"private type '{private.id}' is known as {given!r}; expected a finite number")
    if given not in private.labels.values:
        raise OptionError(
            f"private type '{private.id}' is known as {given!r}; {did_you_mean(str(given), private.labels.values)}"
        )
    return float(private.labels.index(str(given)))


def _hidden(scenario: Scenario, secret: Sequence[Private]) -> Hidden:
    """Lay out every player's types and their combinations."""
    own = [[one for one in secret if one.known_to == player] for player in scenario.player_ids]
    kinds = [list(itertools.product(*(range(one.size) for one in mine))) for mine in own]
    lane = np.array(list(itertools.product(*(range(len(one)) for one in kinds))), dtype=np.int32)
    values: dict[str, Floats] = {}
    for i, mine in enumerate(own):
        for place, one in enumerate(mine):
            values[one.id] = np.array([kinds[i][k][place] for k in lane[:, i]], dtype=np.float64)
    names = tuple(
        tuple(
            ", ".join(one.labels.values[k] if one.labels else "" for one, k in zip(mine, combination, strict=True))
            for combination in one_player
        )
        for mine, one_player in zip(own, kinds, strict=True)
    )
    joint = {name for row in scenario.prior for name in row.values}
    owners = {one.known_to for one in secret if one.id in joint}
    return Hidden(
        privates=tuple(one.id for one in secret),
        names=names,
        reads=tuple(frozenset(one.id for one in mine) for mine in own),
        lane=lane,
        values=values,
        independent=len(owners) <= 1,
    )


def types_of(scenario: Scenario, hidden: Hidden) -> dict[str, list[dict[str, float]]]:
    """Return what the names in a player's guards mean to each of his types."""
    out: dict[str, list[dict[str, float]]] = {}
    for i, player in enumerate(scenario.player_ids):
        if hidden.reads[i]:
            rows = [int(np.flatnonzero(hidden.lane[:, i] == k)[0]) for k in range(len(hidden.names[i]))]
            out[player] = [{name: float(hidden.values[name][row]) for name in sorted(hidden.reads[i])} for row in rows]
    return out


def prior_of(
    scenario: Scenario, hidden: Hidden, assumptions: Mapping[str, Floats], known: Mapping[str, float] | None = None
) -> Floats:
    """Compute how likely each combination of types is, (v, s).

    Raises
    ------
    ScenarioError
        For probabilities that are negative or do not sum to 1.
    """
    variants = max((values.size for values in assumptions.values()), default=1)
    columns = {name: values.reshape(-1, 1) for name, values in assumptions.items()}
    out = np.ones((variants, len(hidden.lane)))
    tabled: list[str] = []
    for one in scenario.privates:
        if one.id not in hidden.privates or not one.parameters:
            tabled += [one.id] if one.labels and not one.parameters else []
            continue
        chances = [np.broadcast_to(evaluate(x.node, columns), (variants, 1)) for x in one.parameters]
        table = np.concatenate(chances, axis=1)
        _check(scenario, table, f"private.{one.id}.values", f"probabilities of private type {one.id}")
        out *= table[:, hidden.values[one.id].astype(np.int64)]
    if tabled:
        out *= _joint(scenario, hidden, columns, variants, known or {})
    total = out.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        what = "what is known of some types has probability 0 under [[prior]]"
        raise ScenarioError([locate(scenario, "prior", "probability-sum", what, advice="hide the other types as well")])
    return out / total


def _joint(
    scenario: Scenario, hidden: Hidden, columns: Mapping[str, Any], variants: int, known: Mapping[str, float]
) -> Floats:
    """Read the joint table: what it says of hidden types, given those that are known."""
    rows = [np.broadcast_to(evaluate(row.probability.node, columns), (variants, 1)) for row in scenario.prior]
    chances = np.concatenate(rows, axis=1)
    _check(scenario, chances, "prior", "the probabilities of [[prior]]")
    out = np.zeros((variants, len(hidden.lane)))
    for place, row in enumerate(scenario.prior):
        if any(known.get(name, value) != value for name, value in row.values.items()):
            continue
        fits = np.ones(len(hidden.lane), dtype=bool)
        for name, value in row.values.items():
            if name in hidden.values:
                fits &= hidden.values[name] == value
        out[:, fits] += chances[:, place : place + 1]
    return out


def _check(scenario: Scenario, chances: Floats, place: str, subject: str) -> None:
    """Stop if probabilities are none."""
    wrong = (chances < -SUM_TOLERANCE).any(axis=1) | (np.abs(chances.sum(axis=1) - 1) > SUM_TOLERANCE)
    if wrong.any() or not np.isfinite(chances).all():
        bad = int(np.flatnonzero(wrong)[0]) if wrong.any() else 0
        shown = ", ".join(f"{value:g}" for value in chances[bad])
        what, expected = f"{subject} are {shown}", "numbers from 0 to 1 that sum to 1"
        raise ScenarioError([locate(scenario, place, "probability-sum", what, expected)])


def lane_values(hidden: Hidden, assumptions: Mapping[str, Floats], variants: int) -> dict[str, Floats]:
    """Return assumptions and types for every lane of every variant, as for ``v * s`` variants."""
    lanes = len(hidden.lane)
    out = {name: np.repeat(values, lanes) if values.size > 1 else values for name, values in assumptions.items()}
    return out | {name: np.tile(values, variants) for name, values in hidden.values.items()}
