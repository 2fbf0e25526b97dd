"""Results as SVG: bars for peers, lines for growth. Both axes of quantities are logarithmic."""

from __future__ import annotations

from html import escape
from math import log10
from typing import TYPE_CHECKING

from comparisons import GROWTH
from report import METRICS, spread, written

if TYPE_CHECKING:
    from pathlib import Path

    from report import Result

WIDTH = 820
LEFT, RIGHT, TOP, BOTTOM = 300, 110, 44, 30
ROW = 20
COLOURS = ("#3367d6", "#d9822b", "#2a9d62", "#9b51a5", "#b23a48", "#5f6b7a")
LANGUAGES = {"Rust": "#b7522b", "Python": "#3367d6", "Node": "#2a9d62"}


def draw(result: Result, folder: Path) -> list[str]:
    """Write the plots of a comparison: growth by each metric, peers by the first. Returns their names."""
    name, metrics = result.comparison.name, result.comparison.metrics
    growth = name.startswith(GROWTH)
    if not growth and len(result.comparison.peers) < 3:
        return []
    plots = {}
    for metric in metrics if growth else metrics[:1]:
        cases = result.comparison.cases
        if any(
            result.values(case.label, peer.name, metric) for case in cases for peer in result.comparison.peers
        ):
            plots[f"{name}-{metric}.svg"] = lines(result, metric) if growth else bars(result, metric)
    for file, text in plots.items():
        (folder / file).write_text(text)
    return list(plots)


def bars(result: Result, metric: str) -> str:
    """One bar for each peer, up to its median in the first case; a line from its p10 to its p90."""
    comparison = result.comparison
    case = comparison.cases[0].label
    found = [(peer.name, result.values(case, peer.name, metric)) for peer in comparison.peers]
    spreads = [(name, spread(values)) for name, values in found if values and min(values) > 0]
    x = _scale([value for _, three in spreads for value in three], LEFT, WIDTH - RIGHT)
    height = TOP + ROW * len(spreads) + BOTTOM
    parts = []
    for row, (name, (low, middle, high)) in enumerate(spreads):
        y = TOP + row * ROW
        colour = LANGUAGES.get(name.split(":")[0], COLOURS[0])
        parts += [
            _text(LEFT - 8, y + 14, name, "end"),
            f'<path d="M{LEFT} {y + 10}H{x(middle):.1f}" stroke="{colour}" stroke-width="{ROW - 6}"/>',
            f'<path d="M{x(low):.1f} {y + 10}H{x(high):.1f}" stroke="#111" stroke-width="2"/>',
            _text(max(x(middle), x(high)) + 6, y + 14, written(middle, metric)),
        ]
    return _document(f"{comparison.title} ({case}): {METRICS[metric]}, logarithmic", height, parts)


def lines(result: Result, metric: str) -> str:
    """One line for each peer, against the number in the case's label."""
    comparison = result.comparison
    height = 320
    series = []
    for peer in comparison.peers:
        values = [
            (float(case.label), result.values(case.label, peer.name, metric)) for case in comparison.cases
        ]
        line = [(size, spread(found)[1]) for size, found in values if found and min(found) > 0]
        series += [(peer.name, line)] if line else []
    points = [point for _, line in series for point in line]
    left = 110
    x = _scale([size for size, _ in points], left, WIDTH - RIGHT, room=False)
    y = _scale([value for _, value in points], height - BOTTOM - 10, TOP + 10 * len(series) + 10)
    parts = []
    for size in sorted({size for size, _ in points}):
        parts += [
            f'<path d="M{x(size):.1f} {TOP}V{height - BOTTOM}" stroke="#ddd"/>',
            _text(x(size), height - BOTTOM + 16, f"{size:,.0f}", "middle"),
        ]
    for index, (name, line) in enumerate(series):
        colour = COLOURS[index % len(COLOURS)]
        path = "L".join(f"{x(size):.1f} {y(value):.1f}" for size, value in line)
        parts += [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
        parts += [
            f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>' for size, value in line
        ]
        parts += [_text(x(size), y(value) - 7, written(value, metric), "middle") for size, value in line]
        parts += [_text(x(line[-1][0]) + 8, y(line[-1][1]) + 14, name)]
    return _document(f"{comparison.title}: {METRICS[metric]}, logarithmic", height, parts)


def _scale(values: list[float], start: float, end: float, *, room: bool = True):
    """From a value to its place between `start` and `end`; with room, no value is at either."""
    low, high = log10(min(values)), log10(max(values))
    low -= 0.5 if room else 0
    high += 0.1 if room or high == low else 0
    return lambda value: start + (log10(value) - low) / (high - low) * (end - start)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _document(title: str, height: int, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="12" y="24" font-size="15">{escape(title)}</text>'
    )
    return "\n".join([head, *parts, "</svg>\n"])
