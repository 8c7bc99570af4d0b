"""The results of one experiment on disk: a Zarr store that fills chunk by chunk, and a marker for every chunk that is whole.

A *chunk* is a run of variants. Its arrays are written first; then ``done/<k>.json`` with the digest of its values appears, whole or not at all.
A chunk counts only if its marker is there and what is read back has that digest, so that whatever was interrupted, damaged or changed is
computed again.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from sim.kinds import Keys

__all__ = ["Layout", "Store", "alone", "digest", "unfinished", "write_json"]

PLAN = "plan.json"
RESULT = "result.zarr"
DONE = "done"
LOCK = ".lock"
_MARKER = re.compile(r"(\d+|layout)\.json(\.partial)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a store holds.

    Attributes
    ----------
    experiment
        The experiment's name.
    inputs
        Digests of everything that the numbers depend on.
    variants
        Number of variants.
    chunk
        Variants in a chunk.
    labels
        Coordinates that are known beforehand: name to values.
    varied
        Names of the coordinates along the variants.
    dims
        Of each array, by name, its axes after the variants; no axes if it is not listed.
    attributes
        Attributes of the store.
    """

    experiment: str
    inputs: Mapping[str, str]
    variants: int
    chunk: int
    labels: Mapping[str, Any] = field(default_factory=dict[str, Any])
    varied: tuple[str, ...] = ()
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, Any])
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.variants // self.chunk)

    def span(self, k: int) -> tuple[int, int]:
        """Return the first variant of a chunk and the one after its last.

        Examples
        --------
        >>> Layout(experiment="x", inputs={}, variants=10, chunk=4).span(2)
        (8, 10)
        """
        return k * self.chunk, min((k + 1) * self.chunk, self.variants)


def digest(arrays: Mapping[str, Any]) -> str:
    """Return the digest of the values of some arrays, in the order of their names.

    Examples
    --------
    >>> digest({"a": np.array([1.0])}) == digest({"a": np.array([1.0])}) != digest({"a": np.array([2.0])})
    True
    """
    out = hashlib.sha256()
    for name in sorted(arrays):
        values = np.asarray(arrays[name])
        text = values.dtype.kind in "OUT"
        kind = "text" if text else values.dtype.str
        out.update(f"{name}:{kind}:{values.shape};".encode())
        out.update(
            json.dumps([str(x) for x in values.ravel()]).encode() if text else np.ascontiguousarray(values).tobytes()
        )
    return out.hexdigest()


class Store:
    """The folder of an experiment's results.

    Parameters
    ----------
    folder
        Where it is; made if missing.
    layout
        What it holds.
    fresh
        Throw away what is there.

    Raises
    ------
    OptionError
        If the folder holds the results of something else.
    """

    def __init__(self, folder: Path, layout: Layout, *, fresh: bool = False) -> None:
        self.folder = folder
        self.arrays: dict[str, Any] = {}
        before = self._before(fresh=fresh)
        if fresh:
            self._refuse_foreign(before, layout)
            self._clear()
            before = None
        if before is None:
            self._refuse_unknown()
            self.layout = layout
            self._begin()
        else:
            self._refuse_other(before, layout)
            self.layout = replace(layout, chunk=int(before["chunk"]))
        self._open()

    # -- opening ----------------------------------------------------------------------------------------------------------------------

    def _before(self, *, fresh: bool) -> dict[str, Any] | None:
        """Return what an earlier run said of the folder; with ``fresh`` what cannot be read counts as nothing."""
        path = self.folder / PLAN
        if not path.exists():
            return None
        try:
            found = dict(json.loads(path.read_text(encoding="utf-8")))
            kept = {name: found[name] for name in ("experiment", "variants")}
            return {**kept, "inputs": dict(found["inputs"]), "chunk": max(1, int(found["chunk"]))}
        except (ValueError, TypeError, KeyError) as error:
            if fresh:
                return None
            raise OptionError(
                f"{path} cannot be read ({error}); run again with --fresh, or choose another folder with --out"
            ) from None

    def _refuse_foreign(self, before: dict[str, Any] | None, layout: Layout) -> None:
        """Stop where another experiment's results are."""
        owner = before["experiment"] if before else _owner(self.folder)
        if owner not in (None, layout.experiment):
            raise OptionError(
                f"{self.folder} holds the results of experiment '{owner}'; choose another folder with --out"
            )

    def _refuse_unknown(self) -> None:
        """Stop where results lie of which nothing says how they were made."""
        owner = _owner(self.folder)
        if owner is not None or (self.folder / RESULT).exists():
            whose = f"results of experiment '{owner}'" if owner else "results"
            raise OptionError(
                f"{self.folder} holds {whose} that cannot be continued; run with --fresh to replace them, or choose another folder with --out"
            )

    def _refuse_other(self, before: dict[str, Any], layout: Layout) -> None:
        """Stop where the same experiment was run on other inputs."""
        self._refuse_foreign(before, layout)
        changed = [name for name in layout.inputs if before["inputs"].get(name) != layout.inputs[name]]
        if changed or before["variants"] != layout.variants:
            what = " and ".join(changed) or "the number of variants"
            raise OptionError(
                f"{self.folder} holds results made before {what} changed; run with --fresh to replace them, or choose another folder with --out"
            )

    def _clear(self) -> None:
        """Throw away what is there: markers first, so that nothing counts half-way."""
        strange = [path.name for path in (self.folder / DONE).glob("*") if not _MARKER.fullmatch(path.name)]
        if strange:
            what = f"{self.folder / DONE} holds {strange[0]}, which sim run has not written"
            raise OptionError(f"{what}; nothing is thrown away: choose another folder with --out")
        for name in (DONE, RESULT):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in (PLAN, "manifest.json"):
            (self.folder / name).unlink(missing_ok=True)

    def _begin(self) -> None:
        """Say what will be here."""
        x = self.layout
        write_json(
            self.folder / PLAN,
            {"experiment": x.experiment, "inputs": dict(x.inputs), "variants": x.variants, "chunk": x.chunk},
        )

    def _open(self) -> None:
        """Open the store's group; begin it anew if a run was stopped while it was made, or if it is damaged."""
        import zarr

        (self.folder / DONE).mkdir(parents=True, exist_ok=True)
        marker = self.folder / DONE / "layout.json"
        if marker.exists():
            try:
                self.group = zarr.open_group(self.folder / RESULT, mode="r+", zarr_format=3)
                self.arrays = dict(self.group.arrays())
                if sorted(self.arrays) == json.loads(marker.read_text(encoding="utf-8"))["arrays"]:
                    return
            except Exception:  # noqa: BLE001, S110 - whatever is wrong with it, everything is computed again
                pass
            self.arrays = {}
            for path in (self.folder / DONE).glob("*.json"):
                path.unlink()
        shutil.rmtree(self.folder / RESULT, ignore_errors=True)
        self.group = zarr.open_group(self.folder / RESULT, mode="w", zarr_format=3)

    def _create(self, arrays: Mapping[str, Any]) -> None:
        """Make the arrays when the first chunk says what they are."""
        x = self.layout
        names = [name for name in arrays if name not in x.varied]
        self.group.attrs.update({**x.attributes, "coordinates": " ".join(x.varied)})
        for name, values in x.labels.items():
            made = np.asarray(values)
            made = made.astype(np.dtypes.StringDType()) if made.dtype.kind in "UO" else made
            self._array(name, made.shape, made.shape, made.dtype, (name,))[:] = made
        for name in x.varied:
            values = np.asarray(arrays[name])
            kind = np.dtypes.StringDType() if values.dtype.kind in "UOT" else values.dtype
            self._array(name, (x.variants,), (x.chunk,), kind, ("variant",))
        for name in names:
            values = np.asarray(arrays[name])
            dims = ("arm", "concept", "variant", *x.dims.get(name, ()))
            shape = (*values.shape[:2], x.variants, *values.shape[3:])
            chunks = (*values.shape[:2], x.chunk, *values.shape[3:])
            self._array(
                name, shape, tuple(max(1, min(a, b)) for a, b in zip(chunks, shape, strict=True)), values.dtype, dims
            )
        self.arrays = dict(self.group.arrays())
        write_json(self.folder / DONE / "layout.json", {"arrays": sorted(self.arrays)})

    def _array(self, name: str, shape: Any, chunks: Any, dtype: Any, dims: Any) -> Any:
        """Make an array whose chunks are all written, each with a checksum."""
        from zarr.codecs import Crc32cCodec, ZstdCodec

        return self.group.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dtype=dtype,
            fill_value=np.nan if np.dtype(dtype).kind == "f" else None,
            compressors=[ZstdCodec(level=1), Crc32cCodec()],
            dimension_names=dims,
            config={"write_empty_chunks": True},
        )

    # -- chunks -----------------------------------------------------------------------------------------------------------------------

    def write(self, k: int, arrays: Mapping[str, Any]) -> None:
        """Write a chunk, then its marker.

        Parameters
        ----------
        k
            Which chunk.
        arrays
            Coordinates (v,) and variables (arms, concepts, v, …) of its variants.
        """
        if not self.arrays:
            self._create(arrays)
        if set(arrays) != set(self.arrays) - set(self.layout.labels):
            raise ValueError(
                "a chunk must hold what the others hold"
            )  # a fault of ours: no number may take another's place
        first, stop = self.layout.span(k)
        for name, values in arrays.items():
            if name in self.layout.varied:
                made = np.asarray(values)
                self.arrays[name][first:stop] = (
                    made.astype(np.dtypes.StringDType()) if made.dtype.kind in "UO" else made
                )
            else:
                self.arrays[name][:, :, first:stop] = values
        write_json(self.folder / DONE / f"{k}.json", {"chunk": k, "variants": [first, stop], "sha256": digest(arrays)})

    def chunk(self, k: int) -> dict[str, Any]:
        """Read a chunk back."""
        first, stop = self.layout.span(k)
        out: dict[str, Any] = {}
        for name, array in self.arrays.items():
            if name in self.layout.varied:
                out[name] = np.asarray(array[first:stop])
            elif name not in self.layout.labels:
                out[name] = np.asarray(array[:, :, first:stop])
        return out

    def valid(self, k: int) -> bool:
        """Tell whether a chunk is whole: its marker is there, and what is read back has the digest that it tells."""
        path = self.folder / DONE / f"{k}.json"
        if not self.arrays or not path.exists():
            return False
        try:
            marker = json.loads(path.read_text(encoding="utf-8"))
            return bool(marker["sha256"] == digest(self.chunk(k)))
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the chunk is computed again
            return False

    def missing(self) -> Keys:
        """List the chunks that are yet to be computed."""
        return np.array([k for k in range(self.layout.chunks) if not self.valid(k)], dtype=np.int64)


def unfinished(folder: Path) -> int:
    """Count the chunks of a folder that have no marker yet; 0 where nothing tells of chunks.

    Examples
    --------
    >>> from pathlib import Path
    >>> unfinished(Path("nowhere"))
    0
    """
    try:
        plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        chunks = -(-int(plan["variants"]) // int(plan["chunk"]))
    except (OSError, ValueError, KeyError):
        return 0
    return sum(not (folder / DONE / f"{k}.json").exists() for k in range(chunks))


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """Keep other processes from writing into a folder meanwhile, where files can be locked.

    Raises
    ------
    OptionError
        If another run is writing there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder, alone(Path(folder)):
    ...     (Path(folder) / ".lock").exists()
    True
    """
    try:
        import fcntl
    except ImportError:  # not on this system
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another run is writing into {folder}; wait for it, or choose another folder with --out"
            raise OptionError(message) from None
        except OSError:  # a file system without locks
            pass
        yield


def _owner(folder: Path) -> str | None:
    """Return whose results a manifest says are here."""
    manifest = folder / "manifest.json"
    if not manifest.exists():
        return None
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8")).get("experiment"))
    except ValueError:
        return "unknown"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    r"""Write a JSON file that appears whole or not at all.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(Path(folder) / "a.json", {"a": 1})
    ...     (Path(folder) / "a.json").read_text(encoding="utf-8")
    '{\n "a": 1\n}\n'
    """
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    temporary.replace(path)
