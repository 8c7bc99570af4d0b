r"""Which assumption moved the conclusion: the change of an answer between two settings, divided among the assumptions that differ.

With :math:`v(S)` the answer where the assumptions in :math:`S` have their values after the change and all others those before, the *Shapley value* of
assumption :math:`k` is the mean, over all orders in which the assumptions can be changed one by one, of what changing :math:`k` adds in its turn:

.. math:: \phi_k = \sum_{S \not\ni k} \frac{|S|!\,(n - |S| - 1)!}{n!}\,\bigl(v(S \cup k) - v(S)\bigr).

The values sum to :math:`v(\text{all}) - v(\text{none})`. Beside them stand the effects of changing each first, and last. Every setting is solved anew, so
that all players answer each change.

Source: Shapley, L. S. (1953), "A value for n-person games", Contributions to the Theory of Games II, 307-317.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.asker import Asker, read_question
from sim.errors import NoAnswerError, OptionError, did_you_mean
from sim.scenario.values import assumption_values, show_assumption
from sim.scenario.variants import variant_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.analysis.survey import Case
    from sim.kinds import Floats
    from sim.scenario.model import Scenario

__all__ = ["Attribution", "Spec", "find", "shapley"]

MOST_EXACT = 12
SUM = 1e-9


class Spec(BaseModel):
    """What an attribution may say in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["attribution"] = "attribution"
    of: str = Field(description="the question whose answer changes")
    beside: str = Field(default="", description="a second question, asked of the same solutions")
    before: str | dict[str, Any] = Field(
        default_factory=dict[str, Any],
        description="settings before the change, or a named variant; the base by default",
    )
    after: str | dict[str, Any] = Field(description="settings after it, or a named variant")
    groups: dict[str, list[str]] = Field(
        default_factory=dict[str, Any], description="assumptions that change together; each alone by default"
    )
    orders: int = Field(
        default=256, ge=2, description="orders that are drawn where there are more than 12 to divide among"
    )
    concept: str = ""
    arm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A change divided.

    Attributes
    ----------
    questions
        What was asked: one question, or two asked of the same solutions.
    names
        The assumptions, or groups of them, that change, axis k.
    changes
        For each, its assumptions with their values before and after.
    none, all : float array, (q,)
        The answers before and after.
    shapley, first, last : float array, (q, k)
        The Shapley value of each, and what it adds if it is changed first, and last.
    error : float array, (q, k), or None
        Standard errors of Shapley values, where orders were drawn.
    solves
        How many settings were solved.
    """

    questions: tuple[str, ...]
    names: tuple[str, ...]
    changes: tuple[tuple[tuple[str, float | str, float | str], ...], ...]
    none: Floats
    all: Floats
    shapley: Floats
    first: Floats
    last: Floats
    error: Floats | None
    solves: int

    def record(self) -> dict[str, Any]:
        """Return everything as plain numbers and words."""
        facts: dict[str, Any] = {}
        parts: list[dict[str, Any]] = []
        for q, question in enumerate(self.questions):
            ending = "" if q == 0 else "_beside"
            facts |= {f"none{ending}": float(self.none[q]), f"all{ending}": float(self.all[q])}
            facts[f"change{ending}"] = float(self.all[q] - self.none[q])
            for k, name in enumerate(self.names):
                facts[f"{name}{ending}"] = float(self.shapley[q, k])
            order = np.argsort(-np.abs(self.shapley[q]), kind="stable")
            facts[f"largest{ending}"] = self.names[int(order[0])]
            parts.append(
                {
                    "of": question,
                    "none": float(self.none[q]),
                    "all": float(self.all[q]),
                    "rows": [
                        {
                            "name": name,
                            "changes": [list(change) for change in self.changes[k]],
                            "shapley": float(self.shapley[q, k]),
                            "first": float(self.first[q, k]),
                            "last": float(self.last[q, k]),
                            "error": None if self.error is None else float(self.error[q, k]),
                        }
                        for k, name in enumerate(self.names)
                    ],
                }
            )
        return {"kind": "attribution", "facts": facts, "parts": parts, "solves": self.solves}


def shapley(worth: Floats) -> Floats:
    """Return the Shapley values of a cooperative game.

    Parameters
    ----------
    worth
        Worth of every coalition, shape (…, 2^k): the coalition of number c holds player j if bit j of c is set.

    Returns
    -------
    float array, (…, k)

    Examples
    --------
    >>> shapley(np.array([0.0, 0.0, 0.0, 1.0]))  # two who are worth something only together
    array([0.5, 0.5])
    """
    size = worth.shape[-1]
    players = size.bit_length() - 1
    codes = np.arange(size)
    counts = np.array([int(code).bit_count() for code in codes])
    share = np.array([math.factorial(c) * math.factorial(max(0, players - c - 1)) for c in range(players + 1)]) / float(
        math.factorial(players)
    )
    out = np.empty((*worth.shape[:-1], players))
    for j in range(players):
        without = codes[codes & (1 << j) == 0]
        gain = worth[..., without | (1 << j)] - worth[..., without]
        out[..., j] = gain @ share[counts[without]]
    return out


def _settings(scenario: Scenario, given: str | Mapping[str, Any], case: Case) -> dict[str, float]:
    """Return all assumptions under some settings, or a named variant."""
    chosen = variant_settings(scenario, given) if isinstance(given, str) else dict(given)
    values = assumption_values(scenario, {**case.set, **chosen})
    return {name: float(array[0]) for name, array in values.items()}


def _groups(
    scenario: Scenario, spec: Spec, before: Mapping[str, float], after: Mapping[str, float], given: set[str]
) -> dict[str, list[str]]:
    """Return what changes, by name of the group."""
    grouped = {name for members in spec.groups.values() for name in members}
    for label, members in spec.groups.items():
        for name in members:
            if name not in scenario.assumptions:
                message = f"group {label} names '{name}', which is not an assumption"
                raise OptionError(f"{message}; {did_you_mean(name, scenario.assumptions)}")
        if sum(len(set(members) & set(other)) for other in spec.groups.values()) > len(members):
            raise OptionError(f"group {label} shares an assumption with another group; let each be in one")
    moved = [name for name in given if before[name] != after[name]]
    out = {label: [name for name in members if name in moved] for label, members in spec.groups.items()}
    out = {label: members for label, members in out.items() if members}
    out |= {name: [name] for name in scenario.assumptions if name in moved and name not in grouped}
    if not out:
        raise OptionError("nothing differs between the settings before and after; change some assumption")
    return out


def find(
    spec: Spec,
    *,
    scenario: Scenario,
    concept: str = "subgame_perfect",
    options: Mapping[str, Any] | None = None,
    case: Case | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Attribution:
    """Divide the change of an answer among the assumptions that change.

    Parameters
    ----------
    spec
        What is asked.
    scenario, concept, options, case
        What is solved, and how.
    seed
        Of the orders that are drawn where there are more than 12 to divide among.
    progress
        Called with the number of settings just solved.

    Returns
    -------
    Attribution

    Raises
    ------
    OptionError
        If nothing changes, or for unknown names.
    NoAnswerError
        If some setting has no certified answer.

    Examples
    --------
    >>> import sim
    >>> found = find(Spec(of="value_challenger", after={"prize": 4, "cost_of_war": 0.5}), scenario=sim.load(sim.template()))
    >>> found.names, bool(abs(found.shapley.sum() - (found.all - found.none)[0]) < 1e-12)
    (('prize', 'cost_of_war'), True)
    """
    from sim.analysis.survey import Case as AnyCase

    case = case or AnyCase()
    before, after = _settings(scenario, spec.before, case), _settings(scenario, spec.after, case)
    named = {
        name
        for one in (spec.before, spec.after)
        for name in (variant_settings(scenario, one) if isinstance(one, str) else one)
    }
    groups = _groups(scenario, spec, before, after, named)
    texts = (spec.of, spec.beside) if spec.beside else (spec.of,)
    words = tuple(read_question(scenario, text).words for text in texts)
    asker = Asker(scenario=scenario, questions=texts, concept=concept, options=options or {}, case=case)
    varied = sorted(named)

    def answers(chosen: Any) -> Floats:
        """Answer for coalitions given as rows of flags, (q, rows)."""
        columns: dict[str, Any] = {name: np.full(len(chosen), before[name]) for name in varied}
        for k, members in enumerate(groups.values()):
            for name in members:
                columns[name] = np.where(chosen[:, k], after[name], before[name])
        out = asker.all(columns, len(chosen))
        if progress:
            progress(len(chosen))
        if not np.isfinite(out).all():
            lost = chosen[int(np.argwhere(~np.isfinite(out))[0][1])]
            told = ", ".join(label for k, label in enumerate(groups) if lost[k]) or "nothing"
            raise NoAnswerError(
                f"with {told} changed, {' and '.join(texts)} has no certified answer, so that nothing can be divided"
            )
        return out

    count = len(groups)
    exact = count <= MOST_EXACT
    found = _exact(answers, count) if exact else _drawn(answers, count, spec.orders, seed)
    none, all_, value, first, last, error = found
    if np.abs(value.sum(axis=1) - (all_ - none)).max() > SUM * max(1.0, float(np.abs(all_ - none).max())):
        raise NoAnswerError("the parts do not sum to the change; report this")  # a law, checked on every answer
    changes = tuple(
        tuple(
            (name, show_assumption(scenario.assumptions[name], before[name]), show_assumption(scenario.assumptions[name], after[name]))
            for name in members
        )
        for members in groups.values()
    )  # fmt: skip
    return Attribution(
        questions=words, names=tuple(groups), changes=changes, none=none, all=all_, shapley=value, first=first, last=last,
        error=error, solves=asker.solves,
    )  # fmt: skip


def _exact(answers: Callable[[Any], Floats], count: int) -> tuple[Any, ...]:
    """Solve every coalition."""
    codes = np.arange(1 << count)
    worth = answers((codes[:, None] >> np.arange(count)) & 1 == 1)
    single = 1 << np.arange(count)
    first = worth[:, single] - worth[:, [0]]
    last = worth[:, [-1]] - worth[:, codes[-1] ^ single]
    return worth[:, 0], worth[:, -1], shapley(worth), first, last, None


def _drawn(answers: Callable[[Any], Floats], count: int, orders: int, seed: int) -> tuple[Any, ...]:
    """Draw orders, each with its reverse, and change one after the other."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    half: Sequence[Any] = [rng.permutation(count) for _ in range(-(-orders // 2))]
    rows = [row for one in half for row in (one, one[::-1])]
    chosen = np.zeros((len(rows), count + 1, count), dtype=np.bool_)
    for place, row in enumerate(rows):
        for step, k in enumerate(row):
            chosen[place, step + 1 :, k] = True
    ends = np.concatenate([np.eye(count, dtype=np.bool_), ~np.eye(count, dtype=np.bool_)])
    flat = np.concatenate([chosen.reshape(-1, count), ends])
    distinct, place = np.unique(flat, axis=0, return_inverse=True)
    worth = answers(distinct)[:, place.ravel()]
    steps = np.diff(worth[:, : chosen.shape[0] * (count + 1)].reshape(len(worth), len(rows), count + 1), axis=2)
    gains = np.empty_like(steps)
    for place_, row in enumerate(rows):
        gains[:, place_, row] = steps[:, place_]
    none, all_ = worth[:, 0], worth[:, count]
    pairs = gains.reshape(len(worth), len(half), 2, count).mean(axis=2)
    error = pairs.std(axis=1, ddof=1) / math.sqrt(len(half)) if len(half) > 1 else np.full((len(worth), count), np.nan)
    singles = worth[:, -2 * count :]
    return none, all_, gains.mean(axis=1), singles[:, :count] - none[:, None], all_[:, None] - singles[:, count:], error
