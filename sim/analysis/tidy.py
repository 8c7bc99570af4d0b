"""Results as a tidy table: a row for each arm, concept and variant, and for each round, rung or move where these matter; assumptions beside outcomes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.record import read
from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import xarray as xr

__all__ = ["FORMATS", "columns_of", "write_tidy"]

FORMATS = ("csv", "parquet")
ROWS = 100_000


def columns_of(data: xr.Dataset, names: Sequence[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the axes and the variables of a tidy table.

    Parameters
    ----------
    data
        Results on one axis of variants.
    names
        The variables wanted: those that share their axes; by default all that have no axis beyond arm, concept and variant.

    Raises
    ------
    OptionError
        For unknown names, and for variables whose axes differ.
    """
    for name in names:
        if name not in data.data_vars:
            raise OptionError(f"'{name}' is not among the results; known: {', '.join(map(str, data.data_vars))}")
    plain = ("arm", "concept", "variant")
    chosen = tuple(names) or tuple(str(name) for name, array in data.data_vars.items() if array.dims == plain)
    kinds = {data[name].dims for name in chosen}
    if len(kinds) > 1:
        told = "; ".join(f"{name}: {', '.join(map(str, data[name].dims))}" for name in chosen)
        raise OptionError(f"these variables have different axes ({told}); write one table for each")
    return tuple(map(str, next(iter(kinds)))), chosen


def _pieces(data: xr.Dataset, dims: Sequence[str], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield columns piece by piece along the variants, never all of them at once."""
    along = [str(name) for name, array in data.coords.items() if array.dims == ("variant",)]
    rest = int(np.prod([data.sizes[dim] for dim in dims if dim != "variant"]))
    step = max(1, ROWS // max(1, rest))
    count = data.sizes["variant"]
    order = ["variant", *(dim for dim in dims if dim != "variant")]
    for start in range(0, count, step):
        part = data.isel(variant=slice(start, min(start + step, count))).load()
        shape = [part.sizes[dim] for dim in order]
        out: dict[str, Any] = {}
        index = np.arange(start, start + shape[0])
        for place, dim in enumerate(order):
            values = index if dim == "variant" else part[dim].values if dim in part.coords else np.arange(shape[place])
            spread = [1] * len(order)
            spread[place] = shape[place]
            out[dim] = np.broadcast_to(np.asarray(values).reshape(spread), shape).ravel()
        for name in along:
            spread = [shape[0], *([1] * (len(order) - 1))]
            out[name] = np.broadcast_to(part[name].values.reshape(spread), shape).ravel()
        for name in names:
            out[name] = part[name].transpose(*order).values.ravel()
        yield out


def write_tidy(folder: str | Path, path: str | Path, names: Sequence[str] = ()) -> int:
    """Write results as a tidy table.

    Parameters
    ----------
    folder
        Where an experiment was run to.
    path
        A file that ends in ``.csv`` or ``.parquet``; it appears whole or not at all.
    names
        The variables wanted, as for :func:`columns_of`.

    Returns
    -------
    int
        The number of rows.

    Raises
    ------
    OptionError
        For another ending, unknown names, and for Parquet where pyarrow is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from sim.analysis.experiment import run
    >>> folder = tempfile.mkdtemp()
    >>> data = run("experiments/precision.toml", out=folder)
    >>> write_tidy(folder, Path(folder) / "table.csv") == data["certified"].size
    True
    """
    target = Path(path)
    ending = target.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise OptionError(f"{target} ends in '{ending}'; expected one of {', '.join(FORMATS)}")
    if not (Path(folder) / "result.zarr").is_dir():
        raise OptionError(
            f"{folder} holds no results; expected the folder that sim run wrote, such as results/precision"
        )
    data = read(folder, flat=True)
    dims, chosen = columns_of(data, names)
    partial = target.with_name(target.name + ".partial")
    pieces = _pieces(data, dims, chosen)
    count = _csv(pieces, partial) if ending == "csv" else _parquet(pieces, partial)
    partial.replace(target)
    return count


def _plain(values: Any) -> list[Any]:
    """Return plain values; what does not exist is empty."""
    if values.dtype.kind == "b":
        return [str(bool(value)).lower() for value in values]
    if values.dtype.kind == "f":
        return ["" if np.isnan(value) else repr(float(value)) for value in values]
    return [str(value) for value in values]


def _csv(pieces: Iterator[dict[str, Any]], path: Path) -> int:
    """Write CSV: RFC 4180, numbers in full, nothing where there is none."""
    count = 0
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        for piece in pieces:
            if not count:
                writer.writerow(piece)
            rows = list(zip(*(_plain(np.asarray(values)) for values in piece.values()), strict=True))
            writer.writerows(rows)
            count += len(rows)
    return count


def _parquet(pieces: Iterator[dict[str, Any]], path: Path) -> int:
    """Write Parquet, a row group for each piece."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise OptionError(
            "Parquet needs pyarrow, which is not installed; install escalation-sim[tables], or write .csv"
        ) from None
    writer: Any = None
    count = 0
    try:
        for piece in pieces:
            arrays = {
                name: pa.array(
                    [str(value) for value in values] if values.dtype.kind in "OUT" else np.ascontiguousarray(values),
                    from_pandas=values.dtype.kind == "f",
                )
                for name, values in ((name, np.asarray(values)) for name, values in piece.items())
            }
            table = pa.table(arrays)
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
            count += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return count
