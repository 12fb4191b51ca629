"""Charts as SVG text within the page.

They are drawn by matplotlib and coloured by the page, so that they follow light and dark. Only
numbers and our own words are drawn; titles and reviews are in tables, where they are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from markupsafe import Markup, escape

# Each is replaced by one of the page's own colours; no other drawing uses them.
_COLOURS = {
    "#010101": "var(--ink)",
    "#020202": "var(--quiet)",
    "#030303": "var(--soft)",
    "#040404": "var(--c1)",
    "#050505": "var(--c2)",
    "#060606": "var(--c3)",
    "#070707": "var(--c4)",
    "#080808": "var(--ground)",
}
INK, QUIET, SOFT, C1, C2, C3, C4, GROUND = _COLOURS
SERIES = (C1, C2, C3, C4)
_STYLE = {
    "svg.fonttype": "none",
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": SOFT,
    "grid.linewidth": 0.6,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "legend.labelcolor": INK,
}
# Inches: the height of a chart, and the width of a character of its labels.
_TALL = 2.7
_CHARACTER = 0.08
_ID = re.compile(r'(\bid="|url\(#|href="#)')


def bars(
    name: str,
    about: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    x: str,
    y: str,
    wide: float = 6.4,
) -> Markup:
    """Return grouped bars; `series` maps what a colour means to one value a label.

    `name` is unique on the page.
    """

    def draw(axes: Any) -> None:
        width = 0.8 / max(1, len(series))
        for number, (what, values) in enumerate(series.items()):
            places = [place - 0.4 + width * (number + 0.5) for place in range(len(labels))]
            axes.bar(
                places,
                list(values),
                width * 0.92,
                color=SERIES[number % 4],
                label=what,
                linewidth=0,
            )
        every = max(1, -(-len(labels) // 18))
        axes.set_xticks(range(0, len(labels), every), list(labels)[::every])
        _finish(axes, x, y, legend=len(series) > 1)

    return _drawn(name, about, draw, wide)


def lines(
    name: str,
    about: str,
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x: str,
    y: str,
    even: bool = False,
) -> Markup:
    """Return lines through points.

    With `even` a dashed line shows what an even share would be; both axes are in percent then.
    """

    def draw(axes: Any) -> None:
        if even:
            axes.plot(
                [0, 100],
                [0, 100],
                color=QUIET,
                linewidth=1,
                linestyle=(0, (4, 3)),
                label="even share",
            )
        for number, (what, (across, up)) in enumerate(series.items()):
            axes.plot(list(across), list(up), color=SERIES[number % 4], linewidth=2, label=what)
        axes.set_ylim(bottom=0)
        axes.margins(x=0)
        _finish(axes, x, y, legend=len(series) > 1 or even)

    return _drawn(name, about, draw, 6.4)


@dataclass(frozen=True)
class Series:
    """One line of a chart over runs.

    Attributes:
        values: one a run; None where it was not measured.
        marked: places of the values that get a ring.
        band: limits of an interval, one pair a value; drawn as a shade. Empty where there is none.
    """

    name: str
    values: Sequence[float | None]
    marked: frozenset[int] = frozenset()
    band: Sequence[tuple[float, float]] = ()


def trend(
    name: str, about: str, series: Sequence[Series], *, y: str, limit: float | None = None
) -> Markup | None:
    """Return lines over a domain's runs, from number 1; None where nothing was measured.

    Marked points have a ring. `limit` is a dashed line.
    """
    measured = [line for line in series if _known(line.values)]
    if not measured:
        return None

    top = max(max(_known(line.values)) for line in measured)

    def draw(axes: Any) -> None:
        for number, line in enumerate(measured):
            _draw_series(axes, line, SERIES[number % len(SERIES)])
        if limit is not None:
            axes.axhline(limit, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_ylim(0, 1.1 * max(top, limit or 0.0) or 1.0)
        axes.set_xlim(0.5, len(measured[0].values) + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        _finish(axes, "run", y, legend=True, columns=2)

    return _drawn(name, about, draw, 6.4)


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _draw_series(axes: Any, line: Series, colour: str) -> None:
    across = range(1, len(line.values) + 1)
    up = [float("nan") if value is None else value for value in line.values]
    if line.band:
        low, high = zip(*line.band, strict=True)
        axes.fill_between(across, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(across, up, color=colour, linewidth=2, marker="o", markersize=4, label=line.name)
    places = sorted(line.marked)
    rings = {
        "marker": "o",
        "markersize": 11,
        "linestyle": "none",
        "fillstyle": "none",
        "markeredgewidth": 2,
    }
    axes.plot(
        [place + 1 for place in places],
        [up[place] for place in places],
        color=INK,
        clip_on=False,
        **rings,
    )


def _finish(axes: Any, x: str, y: str, *, legend: bool, columns: int = 4) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.tick_params(length=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    rows = 0
    if legend:
        drawn = axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=columns,
            borderaxespad=0.2,
            handlelength=1.2,
            columnspacing=1.4,
        )
        rows = -(-len(drawn.get_texts()) // columns)
    _set_margins(axes, legend_rows=rows)


def _set_margins(axes: Any, *, legend_rows: int) -> None:
    """Leave room for the labels; matplotlib's own layouts draw each chart twice to find it."""
    low, high = axes.get_ylim()
    ticks = [tick for tick in axes.get_yticks() if low <= tick <= high]
    labels = axes.yaxis.get_major_formatter().format_ticks(ticks)
    left = 0.35 + _CHARACTER * max(map(len, labels), default=1)
    wide = axes.figure.get_figwidth()
    axes.figure.subplots_adjust(
        left=left / wide,
        right=1 - 0.2 / wide,
        bottom=0.5 / _TALL,
        top=1 - (0.1 + 0.2 * legend_rows) / _TALL,
    )


def _drawn(name: str, about: str, draw: Callable[[Any], None], wide: float) -> Markup:
    """Draw on a figure of its own, so that nothing is left in the process.

    Return the picture without its prologue.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = {**_STYLE, "svg.hashsalt": name}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(wide, _TALL))
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        out = StringIO()
        figure.savefig(
            out,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _embedded(out.getvalue(), name, about)


def _embedded(svg: str, name: str, about: str) -> Markup:
    drawing = svg[svg.index("<svg") :]
    drawing = re.sub(
        r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", drawing, flags=re.DOTALL
    )
    drawing = re.sub(
        r'^<svg[^>]*?viewBox="([^"]*)"[^>]*>',
        rf'<svg viewBox="\1" role="img" aria-label="{escape(about)}">',
        drawing,
    )
    drawing = _ID.sub(rf"\g<1>{name}-", drawing)
    for mark, colour in _COLOURS.items():
        drawing = drawing.replace(mark, colour)
    return Markup(drawing)  # noqa: S704 - our own drawing, of numbers and our own words
