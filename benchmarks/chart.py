"""The results as a bar chart in SVG."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.results import Result

_WIDTH = 840
_LEFT = 64
_PANEL_HEIGHT = 230
_BARS_HEIGHT = 150
_TITLE_HEIGHT = 36
_BOTTOM = _TITLE_HEIGHT + _BARS_HEIGHT
_LEGEND_HEIGHT = 34
_FOOT_HEIGHT = 28
_GROUP_GAP = 0.25
_BAR_GAP = 3
_TICKS = 4

# Visible on white and on black.
_COLOURS = ("#d9822b", "#2f7fd8", "#3f9e57", "#a05ac0")
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 14px; font-weight: 600; }
.value { font-size: 10px; text-anchor: middle; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.rule { stroke: #8b949e; stroke-opacity: 0.35; }
.full { fill-opacity: 0.45; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }
"""
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" role="img"'
    ' width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
)
_BAR = (
    '<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2"'
    ' fill="{colour}"/>'
)
_FOOT = (
    "Below the bars: calls at once. Pale: the program's core was full, it did not"
    " keep up."
)


@dataclass(frozen=True)
class Panel:
    """A panel of the chart.

    Attributes:
        title: what is shown, with its unit.
        value: how high a result's bar is; None: there is nothing to show.
        is_logarithmic: whether each line stands for ten times the one below.
    """

    title: str
    value: Callable[[Result], float | None]
    is_logarithmic: bool = False


PANELS: Sequence[Panel] = (
    Panel("CPU for each request, in ms", lambda each: each.cpu_ms_a_request),
    Panel(
        "From a key to the request that stops the sound, 99th percentile, in ms"
        " (logarithmic)",
        lambda each: each.stop_delay.p99,
        is_logarithmic=True,
    ),
    Panel("Memory for each call, in KiB", lambda each: each.kib_a_call),
)


@dataclass(frozen=True)
class Scale:
    """The height of a value's bar, as a part of the panel's height.

    Attributes:
        lowest: the value at the bottom.
        highest: the value at the top.
        ticks: the values with a line.
    """

    lowest: float
    highest: float
    ticks: Sequence[float]
    is_logarithmic: bool

    def __call__(self, value: float) -> float:
        """Return the part of the height, from 0 on."""
        if not self.is_logarithmic:
            return max(value, 0.0) / self.highest
        if value <= self.lowest:
            return 0.0
        return log10(value / self.lowest) / log10(self.highest / self.lowest)


def scale_for(values: Sequence[float], *, is_logarithmic: bool) -> Scale:
    """Choose a scale with round numbers that includes all values."""
    positive = [value for value in values if value > 0] or [1.0]
    if is_logarithmic:
        lowest = floor(log10(min(positive)))
        highest = max(ceil(log10(max(positive))), lowest + 1)
        ticks = [10.0**power for power in range(lowest, highest + 1)]
        return Scale(ticks[0], ticks[-1], ticks, is_logarithmic=True)
    rough = max(positive) / _TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough)
    ticks = [step * index for index in range(_TICKS + 1)]
    return Scale(0.0, ticks[-1], ticks, is_logarithmic=False)


def draw(
    results: Sequence[Result],
    *,
    titles: Mapping[str, str],
    panels: Sequence[Panel] = PANELS,
) -> str:
    """Draw results in panels, one below another.

    Args:
        results: what was measured; there may be gaps.
        titles: what each program is, by its name.
        panels: what to show of it.
    """
    height = _LEGEND_HEIGHT + len(panels) * _PANEL_HEIGHT + _FOOT_HEIGHT
    programs = list(dict.fromkeys(result.program for result in results))
    colours = dict(zip(programs, _COLOURS, strict=False))
    lines = [
        _HEAD.format(width=_WIDTH, height=height),
        f"<style>{_STYLE}</style>",
    ]
    for index, program in enumerate(programs):
        x = _LEFT + index * (_WIDTH - _LEFT) / len(programs)
        lines += [
            _BAR.format(x=x, y=10, width=12, height=12, colour=colours[program]),
            f'<text x="{x + 18:.1f}" y="20">{escape(titles[program])}</text>',
        ]
    for index, panel in enumerate(panels):
        top = _LEGEND_HEIGHT + index * _PANEL_HEIGHT
        lines.append(f'<g transform="translate(0 {top})">')
        lines += _panel(panel, results, colours)
        lines.append("</g>")
    lines += [f'<text x="{_LEFT}" y="{height - 8}">{_FOOT}</text>', "</svg>"]
    return "\n".join(lines) + "\n"


def _panel(
    panel: Panel, results: Sequence[Result], colours: Mapping[str, str]
) -> Iterator[str]:
    values = [panel.value(result) for result in results]
    scale = scale_for(
        [value for value in values if value is not None],
        is_logarithmic=panel.is_logarithmic,
    )
    yield f'<text class="title" x="{_LEFT}" y="18">{escape(panel.title)}</text>'
    for tick in scale.ticks:
        y = _BOTTOM - scale(tick) * _BARS_HEIGHT
        yield f'<path class="rule" d="M{_LEFT} {y:.1f}H{_WIDTH}"/>'
        yield f'<text class="end" x="{_LEFT - 8}" y="{y + 4:.1f}">{tick:g}</text>'
    numbers = sorted({result.calls for result in results})
    group_width = (_WIDTH - _LEFT) / max(len(numbers), 1)
    bar_width = group_width * (1 - _GROUP_GAP) / max(len(colours), 1)
    places = list(colours)
    for result, value in zip(results, values, strict=True):
        x = _LEFT + (numbers.index(result.calls) + _GROUP_GAP / 2) * group_width
        x += places.index(result.program) * bar_width
        if value is not None:
            bar = _BAR.format(
                x=x,
                y=_BOTTOM - scale(value) * _BARS_HEIGHT,
                width=bar_width - _BAR_GAP,
                height=scale(value) * _BARS_HEIGHT,
                colour=colours[result.program],
            )
            yield bar if result.keeps_up else f'<g class="full">{bar}</g>'
        middle = x + (bar_width - _BAR_GAP) / 2
        y = _BOTTOM - scale(value or 0.0) * _BARS_HEIGHT - 4
        label = "none" if value is None else _short(value)
        yield f'<text class="value" x="{middle:.1f}" y="{y:.1f}">{label}</text>'
    for index, number in enumerate(numbers):
        x = _LEFT + (index + 0.5) * group_width
        yield f'<text class="middle" x="{x:.1f}" y="{_BOTTOM + 18}">{number}</text>'


def _short(value: float) -> str:
    """Format a value with about three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"  # noqa: PLR2004 - three digits
