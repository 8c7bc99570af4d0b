"""Orders: which assumptions are better than which, where nobody can say by how much."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from sim.errors import OptionError, Problem
from sim.numerics.orders import MOST_MEMBERS, cycle_of
from sim.scenario.model import Order
from sim.scenario.places import line_of
from sim.scenario.values import assumption_values, structural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.scenario.context import Context
    from sim.scenario.model import Scenario
    from sim.scenario.places import Path
    from sim.scenario.schema import OrderTable

__all__ = ["levels", "order_problems", "read_orders"]

EXAMPLE = 'write order = "best > middle > worst", a list of such chains, or worst_to_best = ["worst", "middle", "best"]'


def read_orders(context: Context) -> tuple[Order, ...]:
    """Read the orders; a member that is not declared as an assumption is created by its order.

    Parameters
    ----------
    context
        The file, and the place for mistakes; its ``created`` receives each new assumption's order and base value.
    """
    out: list[Order] = []
    owners: dict[str, str] = {}
    for name, table in context.file.orders.items():
        context.check_id(("orders", name), name, read=False)
        if name in context.file.assumptions:
            what = f"'{name}' is in [orders] and in [assumptions]"
            context.note(("orders", name), "duplicate-id", what, advice="rename one of them")
        order = _order(context, name, table)
        if order is None:
            continue
        for member in order.members:
            if member in owners:
                what = f"assumption {member} is in order {name} and in order {owners[member]}"
                context.note(
                    _place(order.id, table), "duplicate-id", what, "one order", "join the orders by a list of chains"
                )
            owners.setdefault(member, name)
        for member, level in zip(order.members, levels(order), strict=True):
            if member not in context.file.assumptions and member not in context.created:
                context.created[member] = (order, order.low + (order.high - order.low) * level)
        out.append(order)
    for order in out:
        if order.id in context.created:
            what = f"'{order.id}' is an order and a member of order {context.created[order.id][0].id}"
            context.note(("orders", order.id), "duplicate-id", what, advice="rename one of them")
    return tuple(out)


def _place(name: str, table: OrderTable) -> Path:
    """Return where an order is stated."""
    return ("orders", name, "order" if table.order is not None else "worst_to_best")


def _order(context: Context, name: str, table: OrderTable) -> Order | None:
    """Read one order, or note why it is none; a circle leaves its members without an order."""
    path: Path = ("orders", name)
    place = _place(name, table)
    if (table.order is None) == (table.worst_to_best is None):
        found = "neither order nor worst_to_best" if table.order is None else "both order and worst_to_best"
        context.note(place, "bad-order", f"order {name} has {found}", "one of them", EXAMPLE)
        return None
    chains = _chains(context, name, table)
    members = list(dict.fromkeys(member for chain in chains for member in chain))
    if len(members) > MOST_MEMBERS:
        context.note(
            place, "too-many-entries", f"order {name} has {len(members)} members", f"at most {MOST_MEMBERS}", "split it"
        )
        context.doubtful |= set(members)
        return None
    for member in members:
        context.check_id(place, member)
    if len(members) < 2:  # noqa: PLR2004
        what = f"order {name} has {len(members)} member{'s' * (len(members) != 1)}"
        context.note(place, "bad-order", what, "at least two", EXAMPLE)
    index = {member: at for at, member in enumerate(members)}
    above = tuple(dict.fromkeys((index[a], index[b]) for chain in chains for a, b in itertools.pairwise(chain)))
    circle = cycle_of(above)
    if circle:
        told = " > ".join(members[member] for member in circle)
        context.note(
            place, "circular", f"order {name} puts {members[circle[0]]} above itself: {told}", advice="break the circle"
        )
    low, high = table.range or (0.0, 1.0)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        what = f"range of order {name} is [{low:g}, {high:g}]"
        context.note((*path, "range"), "bad-range", what, "two finite numbers, the lower first")
        low, high = 0.0, 1.0
    source = context.check_source(table, path)
    if table.basis != "assumed" and not source:
        what = f"order {name} is {table.basis} but cites nothing"
        context.note((*path, "basis"), "no-source", what, 'source = "¶…"', 'or say basis = "assumed"')
    return Order(
        id=name,
        members=tuple(members),
        above=() if circle else above,
        low=float(low),
        high=float(high),
        basis=table.basis,
        source=source,
        note=table.note,
    )


def _chains(context: Context, name: str, table: OrderTable) -> list[list[str]]:
    """Return the chains of an order, each from best to worst."""
    if table.order is None:
        return [list(reversed(table.worst_to_best or []))]
    out: list[list[str]] = []
    for text in table.order:
        words = [word.strip() for word in text.split(">")]
        if "<" in text or not all(words):
            what = f"order {name} has the chain '{text:.60}'"
            context.note(_place(name, table), "bad-order", what, "names from best to worst, parted by >", EXAMPLE)
        out.append([word for word in words if word and "<" not in word])
    return out


def levels(order: Order) -> list[float]:
    """Space the members of an order evenly along the longest chain through each: 0 for the worst, 1 for the best.

    Examples
    --------
    >>> from sim.scenario.model import Order
    >>> some = Order(id="x", members=("a", "b", "c", "d"), above=((0, 1), (1, 2), (0, 3)), low=0, high=1, basis="assumed")
    >>> levels(some)
    [1.0, 0.5, 0.0, 0.0]
    """
    size = len(order.members)
    below, over = _heights(size, order.above), _heights(size, [(worse, better) for better, worse in order.above])
    return [height / (height + depth) if height + depth else 0.5 for height, depth in zip(below, over, strict=True)]


def _heights(size: int, above: list[tuple[int, int]] | tuple[tuple[int, int], ...]) -> list[int]:
    """Count the steps of the longest chain below each member."""
    out = [0] * size
    for _ in range(size):
        for better, worse in above:
            out[better] = max(out[better], out[worse] + 1)
    return out


def order_problems(scenario: Scenario) -> list[Problem]:
    """Find members of orders that cannot be varied freely, and base values that contradict an order.

    Parameters
    ----------
    scenario
        A scenario whose names are resolved and whose base values exist.
    """
    if not scenario.orders:
        return []
    shapes = structural(scenario)
    try:
        base = {name: float(value[0]) for name, value in assumption_values(scenario).items()}
    except OptionError:  # its own problem, told elsewhere
        return []
    out: list[Problem] = []
    for order in scenario.orders:
        found = list(_members(scenario, order, base, shapes))
        out += found or list(_contradictions(scenario, order, base))
    return out


def _members(scenario: Scenario, order: Order, base: dict[str, float], shapes: frozenset[str]) -> Iterator[Problem]:
    """Find what is wrong with single members."""
    for name in order.members:
        one = scenario.assumptions[name]
        who = f"assumption {name} of order {order.id}"
        if one.value.reads:
            what = f"{who} is computed from {', '.join(sorted(one.value.reads))}"
            yield _problem(
                scenario,
                (name, "value"),
                "bad-order",
                what,
                "a plain number",
                "leave it out of the order, or give it a number",
            )
        elif one.choices is not None:
            what, expected = f"{who} has choices", f"any number from {order.low:g} to {order.high:g}"
            yield _problem(
                scenario,
                (name, "choices"),
                "bad-order",
                what,
                expected,
                "leave it out of the order, or remove the choices",
            )
        elif name in shapes:
            what = f"{who} shapes the game's graph, which no batch can vary"
            advice = "leave it out of the order, or let only payoffs, payments, probabilities and discounts read it"
            yield _problem(scenario, (name, "value"), "bad-order", what, advice=advice)
        elif one.range is not None and not one.range[0] <= order.low < order.high <= one.range[1]:
            what = f"range [{one.range[0]:g}, {one.range[1]:g}] of {who} does not hold the order's"
            yield _problem(
                scenario,
                (name, "range"),
                "bad-range",
                what,
                f"[{order.low:g}, {order.high:g}] or wider",
                "or change the range of the order",
            )
        elif not order.low <= base[name] <= order.high:
            what = f"value {base[name]:g} of {who} is outside the order's range"
            yield _problem(
                scenario,
                (name, "value"),
                "outside-range",
                what,
                f"{order.low:g} to {order.high:g}",
                "write range = [worst, best] in the order",
            )


def _contradictions(scenario: Scenario, order: Order, base: dict[str, float]) -> Iterator[Problem]:
    """Find base values that do not fall from better to worse."""
    for better, worse in order.above:
        above, below = order.members[better], order.members[worse]
        if base[above] > base[below]:
            continue
        what = f"order {order.id} puts {above} above {below}, but {above} is {base[above]:g} and {below} is {base[below]:g}"
        loose = [name for name in (above, below) if name not in scenario.document.get("assumptions", {})]
        advice = f"give {loose[0]} a value in [assumptions.{loose[0]}]" if loose else "change the values or the order"
        yield Problem(
            kind="order-value",
            what=what,
            expected="base values that respect the order",
            advice=advice,
            place=f"orders.{order.id}",
            file=scenario.file,
            line=line_of(scenario.places, _stated(scenario, order)),
        )


def _stated(scenario: Scenario, order: Order) -> Path:
    """Return the key that states an order."""
    keys = [("orders", order.id, key) for key in ("order", "worst_to_best")]
    return next((key for key in keys if key in scenario.places), keys[0])


def _problem(
    scenario: Scenario, key: tuple[str, str], kind: str, what: str, expected: str = "", advice: str = ""
) -> Problem:
    """Make a problem that points at a member's key, or at its order where the order created it."""
    name = key[0]
    path: Path = ("assumptions", *key)
    if ("assumptions", name) not in scenario.places:
        path = next(_stated(scenario, order) for order in scenario.orders if name in order.members)
    place = ".".join(map(str, path))
    return Problem(
        kind=kind,
        what=what,
        expected=expected,
        advice=advice,
        place=place,
        file=scenario.file,
        line=line_of(scenario.places, path),
    )
