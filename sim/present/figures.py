"""Figures: drawn from datasets and paths, saved as SVG and PNG, in one style that survives grey printing."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.answer import crossings, pick
from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim.analysis.compare import Comparison
    from sim.analysis.paths import Paths
    from sim.analysis.plan import FigureSpec, Plan
    from sim.kinds import Floats

__all__ = ["comparison_figure", "draw", "fan", "quantile_rungs", "save_figure", "style", "trajectory_figure"]

BLUE, ORANGE, BLACK = "#0072B2", "#D55E00", "#000000"
DROPPED = 0.02
FLAT = 1e-6
MOST_ABREAST = 3  # panels in a row
FEW_LINES = 4  # up to so many the legend stands inside
FORMATS = ("svg", "png", "pdf")


@contextmanager
def style() -> Generator[Any]:
    """Yield pyplot in the house style.

    Examples
    --------
    >>> with style() as plt:
    ...     plt.rcParams["svg.hashsalt"]
    'escalation'
    """
    import matplotlib.pyplot as plt

    with plt.style.context(str(Path(__file__).with_name("escalation.mplstyle"))):
        yield plt


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure whole or not at all; the same data give the same bytes.

    Raises
    ------
    OptionError
        If the file ends in something else than svg, png or pdf.

    Examples
    --------
    >>> with style() as plt:
    ...     save_figure(plt.figure(), Path("figure.txt"))
    Traceback (most recent call last):
    sim.errors.OptionError: figure figure.txt ends in 'txt'; expected one of svg, png, pdf
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise OptionError(f"figure {path} ends in '{ending}'; expected one of {', '.join(FORMATS)}")
    partial = path.with_name(f"{path.stem}.partial.{ending}")
    date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[ending]
    figure.savefig(partial, metadata=date)
    partial.replace(path)
    return path


def quantile_rungs(shares: Floats, q: float) -> Floats:
    """Return the lowest rung with at least probability ``q`` at or below it.

    Parameters
    ----------
    shares : float array, (t, r)
    q
        From 0 to 1.

    Examples
    --------
    >>> quantile_rungs(np.array([[0.5, 0.0, 0.5], [0.1, 0.2, 0.7]]), 0.5)
    array([0., 2.])
    """
    return (np.cumsum(shares, axis=1) < q - 1e-12).sum(axis=1).astype(float)


def fan(
    ax: Axes, shares: Floats, labels: Sequence[str], ticks: Sequence[str], likely: Floats | None = None, mark: str = ""
) -> None:
    """Draw the distribution of a ladder by round as a fan.

    Parameters
    ----------
    ax
        Where.
    shares : float array, (t, r)
        Distribution at the start and at the end of each round.
    labels, ticks
        Names of rungs and of rounds.
    likely : float array, (t,), optional
        The rung of the most likely history.
    mark
        A rung to mark as the declared bottom.
    """
    t = np.arange(len(shares))
    for low, high, shade, name in ((0.05, 0.95, "0.88", "90 %"), (0.25, 0.75, "0.74", "50 %")):
        ax.fill_between(
            t,
            quantile_rungs(shares, low) - 0.12,
            quantile_rungs(shares, high) + 0.12,
            color=shade,
            lw=0,
            label=f"middle {name}",
            zorder=1,
        )
    place, rung = np.nonzero(shares > DROPPED / 4)
    ax.scatter(
        place,
        rung,
        s=150 * shares[place, rung],
        facecolor="white",
        edgecolor=BLUE,
        linewidth=1.1,
        zorder=3,
        label="probability (area)",
    )
    ax.plot(t, quantile_rungs(shares, 0.5), color=BLACK, ls="-", marker="", lw=1.8, zorder=4, label="median")
    if likely is not None:
        ax.plot(t, likely, color=ORANGE, ls="--", marker="D", ms=4, lw=1.4, zorder=5, label="most likely history")
    if mark:
        if mark not in labels:
            raise OptionError(f"the ladder has no rung '{mark}'; known: {', '.join(labels)}")
        height = list(labels).index(mark)
        ax.axhline(height, color=BLACK, lw=0.9, ls=":", marker="", zorder=2)
        ax.annotate(
            "declared bottom",
            (len(shares) - 0.6, height),
            fontsize=7,
            ha="right",
            va="bottom",
            xytext=(0, 2),
            textcoords="offset points",
        )
    _rung_axis(ax, labels, ticks)


def _rung_axis(ax: Axes, labels: Sequence[str], ticks: Sequence[str]) -> None:
    """Name rungs, worse ones lower, and rounds."""
    ax.set_yticks(range(len(labels)), [label.replace("_", " ") for label in labels])
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xticks(
        range(len(ticks)),
        ticks,
        rotation=35 if max(map(len, ticks)) > 3 else 0,
        ha="right" if max(map(len, ticks)) > 3 else "center",
    )
    ax.set_xlim(-0.5, len(ticks) - 0.5)
    ax.set_xlabel("end of round")


def _ticks(scenario: Any, rounds: Any) -> list[str]:
    """Name the ends of rounds: by the date at which the round starts, or by number."""
    return ["start" if place == 0 else (scenario.date_of(int(t)) or str(int(t))) for place, t in enumerate(rounds)]


def _fan_row(
    plt: Any,
    panels: Sequence[tuple[str, Floats, Floats | None]],
    labels: Sequence[str],
    ticks: Sequence[str],
    mark: str,
    title: str,
) -> Figure:
    """Draw fans side by side on one axis of rungs."""
    wide = min(len(panels), MOST_ABREAST)
    deep = -(-len(panels) // wide)
    size = (1.6 + 3.4 * wide, 0.9 + 2.9 * deep)
    figure, axes = plt.subplots(deep, wide, figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for place, (ax, (name, shares, likely)) in enumerate(zip(axes.flat, panels, strict=False)):
        fan(ax, shares, labels, ticks, likely, mark)
        ax.set_title(name)
        if place + wide < len(panels):
            ax.set_xlabel("")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=7)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def trajectory_figure(paths: Paths, path: Path, variable: str | None = None) -> Path:
    """Draw one trajectory.

    Parameters
    ----------
    paths
        What is played.
    path
        An SVG, PNG or PDF file.
    variable
        By default the scenario's ladder.
    """
    found = paths.variable(variable)
    labels = [found.show(found.low + r) for r in range(found.size)]
    ticks = _ticks(paths.game.origin.scenario, paths.rounds)
    with style() as plt:
        figure = _fan_row(
            plt,
            [(paths.solution.concept.replace("_", " "), paths.trajectory(variable)[0], paths.likely(found.id))],
            labels,
            ticks,
            "",
            paths.game.origin.scenario.title,
        )
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved


def comparison_figure(found: Comparison, path: Path) -> Path:
    """Draw the trajectories of compared concepts side by side."""
    first = found.paths[0]
    variable = first.variable(None)
    labels = [variable.show(variable.low + r) for r in range(variable.size)]
    panels = [
        (name.replace("_", " "), paths.trajectory()[0], paths.likely(variable.id))
        for name, paths in zip(found.names, found.paths, strict=True)
    ]
    with style() as plt:
        figure = _fan_row(
            plt, panels, labels, _ticks(first.game.origin.scenario, first.rounds), "", first.game.origin.scenario.title
        )
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved


# -- figures of experiments -------------------------------------------------------------------------------------------------------------


def _panels(array: xr.DataArray, spec: FigureSpec, keep: Sequence[str]) -> list[tuple[str, xr.DataArray]]:
    """Split an array into panels by arm and concept; every other dimension must be kept or fixed by where."""
    array = pick_kept(array, spec.where, keep)
    split = [name for name in ("arm", "concept") if name in array.dims and name not in keep]
    over = [str(name) for name in array.dims if name not in (*split, *keep)]
    if over:
        raise OptionError(f"figure {spec.file}: fix {', '.join(over)} with where")
    out = [("", array)]
    for name in split:
        out = [
            (f"{title}, {label}" if title else str(label), part.isel({name: place}))
            for title, part in out
            for place, label in enumerate(part[name].values)
        ]
    return [(title.replace("_", " "), part) for title, part in out]


def pick_kept(array: xr.DataArray, where: dict[str, Any], keep: Sequence[str]) -> xr.DataArray:
    """Select by ``where``; drop other dimensions of length one, but not those to keep."""
    for name in [name for name in array.dims if array.sizes[name] == 1 and name not in keep and name not in where]:
        array = array.isel({name: 0}, drop=True)
    for name, value in where.items():
        if name in array.dims:
            rest = [other for other in array.dims if other != name]
            array = (
                pick(array, {name: value})
                if all(array.sizes[other] > 1 for other in rest)
                else array.isel({name: _place(array, name, value)}, drop=True)
            )
    return array


def _place(array: xr.DataArray, name: str, value: Any) -> int:
    """Find a label, or the nearest number, on a dimension."""
    values = array[name].values
    if isinstance(value, str):
        labels = [str(label) for label in values]
        if value not in labels:
            raise OptionError(f"{name} has no '{value}'; known: {', '.join(labels)}")
        return labels.index(value)
    return int(np.abs(values.astype(float) - float(value)).argmin())


def _fan_figure(plt: Any, spec: FigureSpec, dataset: xr.Dataset, plan: Plan) -> Figure:
    labels = [str(label) for label in dataset["rung"].values]
    ticks = _ticks(plan.scenario, dataset["round"].values)
    likely = {title: part.values for title, part in _panels(dataset["likely"], spec, ("round",))}
    panels = [
        (title, part.values, likely[title]) for title, part in _panels(dataset["distribution"], spec, ("round", "rung"))
    ]
    return _fan_row(plt, panels, labels, ticks, spec.mark, spec.title)


def _passage_figure(plt: Any, spec: FigureSpec, dataset: xr.Dataset, plan: Plan) -> Figure:
    labels = [str(label) for label in dataset["rung"].values]
    ticks = _ticks(plan.scenario, dataset["round"].values)
    panels = _panels(dataset["first_passage"], spec, ("round", "rung"))
    figure, axes = plt.subplots(1, len(panels), figsize=(1.4 + 3.5 * len(panels), 3.4), sharey=True, squeeze=False)
    shown = [
        r
        for r in range(1, len(labels))
        if max(float(part.values[-1, r]) for _, part in panels) > DROPPED / 4
        and min(float(part.values[0, r]) for _, part in panels) < 1
    ]
    shades = plt.get_cmap("cividis")(np.linspace(0.0, 0.85, max(len(shown), 1)))
    for ax, (title, part) in zip(axes[0], panels, strict=True):
        for place, r in enumerate(shown):
            style = "-" if labels[r] != spec.mark else "--"
            ax.plot(
                part.values[:, r],
                color=shades[place],
                ls=style,
                marker="osD^vPX*"[place % 8],
                label=labels[r].replace("_", " ") + (" (declared bottom)" if labels[r] == spec.mark else ""),
            )
        ax.set_title(title)
        ax.set_xticks(range(len(ticks)), ticks, rotation=35, ha="right")
        ax.set_ylim(-0.02, 1.02)
        ax.set_xlabel("end of round")
    axes[0, 0].set_ylabel("probability of having reached the rung")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(4, max(1, len(names))), fontsize=7)
    figure.suptitle(spec.title, fontsize=11)
    return figure


def _phase_figure(plt: Any, spec: FigureSpec, dataset: xr.Dataset, plan: Plan) -> Figure:
    panels = _panels(dataset[str(spec.of)], spec, (spec.y, spec.x))
    figure, axes = plt.subplots(1, len(panels), figsize=(1.8 + 3.2 * len(panels), 3.6), sharey=True, squeeze=False)
    values = [part.transpose(spec.y, spec.x).values for _, part in panels]
    finite = np.concatenate([value[np.isfinite(value)].ravel() for value in values])
    low, high = (min(0.0, float(finite.min())), max(1.0, float(finite.max()))) if finite.size else (0.0, 1.0)
    mesh = None
    for ax, (title, part), value in zip(axes[0], panels, values, strict=True):
        x, y = part[spec.x].values.astype(float), part[spec.y].values.astype(float)
        mesh = ax.pcolormesh(x, y, value, vmin=low, vmax=high, cmap="cividis", shading="nearest", rasterized=True)
        if (value >= spec.level).any() and (value < spec.level).any():
            ax.contour(x, y, value, levels=[spec.level], colors="white", linewidths=2.6)
            ax.contour(x, y, value, levels=[spec.level], colors="black", linewidths=1.3)
        ax.grid(visible=False)
        ax.set_title(title)
        ax.set_xlabel(_axis_name(plan, spec.x))
    axes[0, 0].set_ylabel(_axis_name(plan, spec.y))
    if mesh is not None:
        figure.colorbar(mesh, ax=axes[0].tolist(), label=str(spec.of).replace("_", " "))
    figure.suptitle(f"{spec.title} (line: {spec.level:g})", fontsize=11)
    return figure


def _axis_name(plan: Plan, name: str) -> str:
    """Name an axis: the assumption with its value in the scenario."""
    if name == "precision":
        return "precision λ"
    base = plan.scenario.assumptions[name].value.constant if name in plan.scenario.assumptions else None
    text = name.replace("_", " ")
    return text if base is None else f"{text} (base {base:g})"


def _lines_figure(plt: Any, spec: FigureSpec, dataset: xr.Dataset, plan: Plan) -> Figure:
    names = [spec.of] if isinstance(spec.of, str) else spec.of
    figure, axes = plt.subplots(len(names), 1, figsize=(5.6, 1.0 + 2.3 * len(names)), sharex=True, squeeze=False)
    for ax, name in zip(axes[:, 0], names, strict=True):
        for title, part in _panels(dataset[name], spec, (spec.x,)):
            x = part[spec.x].values
            numeric = np.issubdtype(x.dtype, np.number)
            ax.plot(
                x if numeric else range(len(x)),
                part.values,
                label=title or name.replace("_", " "),
                markevery=max(1, len(x) // 12),
            )
            for low, high in crossings(x, part.values, spec.level) if numeric and spec.mark == "crossings" else ():
                ax.axvline((low + high) / 2, color="0.5", lw=0.8, ls=":", marker="")
            if not numeric:
                ax.set_xticks(range(len(x)), [str(label) for label in x])
        ax.set_ylabel(name.replace("_", " "))
        ax.ticklabel_format(axis="y", useOffset=False)
        low, high = ax.get_ylim()
        if high - low < FLAT:  # rounding is no variation
            ax.set_ylim((low + high) / 2 - 0.1, (low + high) / 2 + 0.1)
        if 1 < len(ax.get_lines()) <= FEW_LINES:
            ax.legend()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if len(labels) > FEW_LINES:  # once, where it hides nothing
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7)
    if spec.x == "precision":
        axes[-1, 0].set_xscale("log")
    axes[-1, 0].set_xlabel(_axis_name(plan, spec.x))
    figure.suptitle(spec.title, fontsize=11)
    return figure


def _actions_figure(plt: Any, spec: FigureSpec, dataset: xr.Dataset, plan: Plan) -> Figure:
    panels = _panels(dataset["played"], spec, ("turn_round", "move"))
    moves = [str(move) for move in dataset["move"].values]
    shown = [m for m, _ in enumerate(moves) if max(float(part.values[:, m].max()) for _, part in panels) > DROPPED]
    rounds = dataset["turn_round"].values
    ticks = _ticks(plan.scenario, [0, *rounds])[1:]
    figure, axes = plt.subplots(
        1, len(panels), figsize=(2.4 + 3.4 * len(panels), 1.4 + 0.24 * len(shown)), sharey=True, squeeze=False
    )
    for ax, (title, part) in zip(axes[0], panels, strict=True):
        shares = part.values[:, shown].T
        ax.imshow(shares, cmap="Greys", vmin=0, vmax=1, aspect="auto")
        for (m, t), share in np.ndenumerate(shares):
            if share > DROPPED:
                ax.text(
                    t,
                    m,
                    f"{share:.2f}".lstrip("0") if share < 0.995 else "1",
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color="white" if share > 0.55 else "black",
                )
        ax.set_xticks(range(len(ticks)), ticks, rotation=35, ha="right")
        ax.set_yticks(range(len(shown)), [moves[m].replace(":", ": ").replace("_", " ") for m in shown])
        ax.grid(visible=False)
        ax.set_title(title)
        ax.set_xlabel("round")
    figure.suptitle(spec.title, fontsize=11)
    return figure


_KINDS = {
    "fan": _fan_figure,
    "first_passage": _passage_figure,
    "phase": _phase_figure,
    "lines": _lines_figure,
    "actions": _actions_figure,
}


def draw(plan: Plan, dataset: xr.Dataset, folder: str | Path, findings: Mapping[str, Any] | None = None) -> list[Path]:
    """Draw all figures of an experiment, each as SVG and PNG.

    Parameters
    ----------
    plan, dataset
        The experiment and its result.
    folder
        Where the files go.
    findings
        Records of the experiment's findings.

    Returns
    -------
    list of Path
        The files written.
    """
    from sim.present.findings import draw_finding

    out: list[Path] = []
    with style() as plt:
        for spec in plan.experiment.figures:
            if spec.kind == "finding":
                names = [spec.of] if isinstance(spec.of, str) else spec.of
                records = [{**(findings or {})[name], "name": name} for name in names]
                out += [
                    draw_finding(records, Path(folder) / f"{spec.file}.{ending}", spec.title)
                    for ending in ("svg", "png")
                ]
                continue
            figure = _KINDS[spec.kind](plt, spec, dataset, plan)
            out += [save_figure(figure, Path(folder) / f"{spec.file}.{ending}") for ending in ("svg", "png")]
            plt.close(figure)
    return out
