"""From samples to medians, ratios, tables and targets."""

from __future__ import annotations

from itertools import product
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, NamedTuple

import comparisons as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from rounds import Comparison, Peer, Round

METRICS = {
    "ns": "time",
    "cpu_ns": "processor time",
    "per_second": "per second",
    "bytes": "memory",
}


class Result(NamedTuple):
    """A comparison, and what came of it."""

    comparison: Comparison
    rounds: list[Round]

    def values(self, case: str, peer: str, metric: str) -> list[float]:
        """Of the rounds that have one."""
        samples = (each[case].get(peer, {}) for each in self.rounds)
        found = (_value(sample, metric) for sample in samples)
        return [value for value in found if value is not None]

    def ratio(self, of: Callable[[Any], float]) -> list[float]:
        """Give `of` a look-up in each round: peer, case or else the first, metric. What it makes of them."""
        ratios = []
        for this in self.rounds:

            def look(peer: str, case: str = "", metric: str = "ns", this: Round = this) -> float:
                value = _value(this[case or next(iter(this))].get(peer, {}), metric)
                if value is None:
                    raise LookupError(peer)
                return value

            try:
                ratios.append(of(look))
            except (LookupError, ZeroDivisionError):
                continue
        return ratios


class Target(NamedTuple):
    """Something to reach, as a ratio within one round."""

    text: str
    comparison: str
    of: Callable[[Any], float]
    least: float | None = None
    most: float | None = None


TARGETS = [
    Target(
        "Rust, new token: at most 1.05 × the raw signature check",
        "cold",
        lambda of: of(names.RUST_NEW) / of(names.RAW),
        most=1.05,
    ),
    Target(
        "Rust, all but the signature check: at most 1.5 µs",
        "inside",
        lambda of: of(names.RUST) / 1_000,
        most=1.5,
    ),
    Target(
        "Python, new token: at least 3.5 × as fast as 0.0.13",
        "cold",
        lambda of: of(names.PUBLISHED) / of(names.PYTHON),
        least=3.5,
    ),
    Target(
        "Python, remembered token: at least 400 × as fast as 0.0.13",
        "hot",
        lambda of: of(names.PUBLISHED) / of(names.PYTHON),
        least=400,
    ),
    Target(
        "Python, new tokens on 2 threads: at least 6 × the throughput of 0.0.13",
        "cold",
        lambda of: of(names.PUBLISHED, "2 threads") / of(names.PYTHON, "2 threads"),
        least=6,
    ),
    Target(
        "verify_many in Python: at least 1.8 × as fast as one by one",
        "batch",
        lambda of: of(names.PYTHON, names.ONE_BY_ONE) / of(names.PYTHON, names.TOGETHER),
        least=1.8,
    ),
    Target(
        "FastAPI: at least 2.2 × the requests per second of 0.0.13",
        "fastapi",
        lambda of: of(names.PUBLISHED_HOT) / of(names.OURS_HOT),
        least=2.2,
    ),
    Target(
        "FastAPI: at most a fifth of 0.0.13's processor time for authentication",
        "fastapi",
        lambda of: _above_open(of, names.OURS_HOT) / _above_open(of, names.PUBLISHED_HOT),
        most=0.2,
    ),
    Target(
        "Rust, remembered token: at least 8 × as fast as a hit of fast-jwt's cache",
        "hot",
        lambda of: of(names.FAST_JWT) / of(names.RUST),
        least=8,
    ),
    Target(
        "users.get in Python: at most 1/3.5 of 0.0.13's processor time",
        "users-get",
        lambda of: of(names.PYTHON, metric="cpu_ns") / of(names.PUBLISHED, metric="cpu_ns"),
        most=1 / 3.5,
    ),
    Target(
        "import: at most 1/15 of 0.0.13's time",
        "import",
        lambda of: of(names.PYTHON) / of(names.PUBLISHED),
        most=1 / 15,
    ),
    *(
        Target(
            f"{framework}: a remembered token costs at most {micros} µs over the open route",
            comparison,
            lambda of, rows=rows: _over_open(of, rows, rows.ours) / 1_000,
            most=micros,
        )
        for framework, comparison, micros, rows in names.ROUTES
    ),
    *(
        Target(
            f"{framework}: a remembered token costs at most half of {rows.other}",
            comparison,
            lambda of, rows=rows: _over_open(of, rows, rows.ours) / _over_open(of, rows, rows.other),
            most=0.5,
        )
        for framework, comparison, _, rows in names.ROUTES
        if rows.other
    ),
]


def markdown(
    results: list[Result], machine: dict[str, str], versions: dict[str, str], plots: dict[str, list[str]]
) -> str:
    """Write the section of the results page that is a run's."""
    parts = [_facts(machine, versions), _targets(results)]
    for result in results:
        parts.append(f"### {result.comparison.title}\n\n{table(result)}")
        if result.comparison.note:
            parts.append(result.comparison.note)
        parts += [f"![{result.comparison.title}](results/{plot})" for plot in plots[result.comparison.name]]
    return "\n\n".join(parts)


def table(result: Result) -> str:
    """Median, 10th to 90th percentile, and the median of the rounds' ratios to the row's reference."""
    comparison = result.comparison
    columns = [
        (case.label, metric)
        for case in comparison.cases
        for metric in comparison.metrics
        if any(result.values(case.label, peer.name, metric) for peer in comparison.peers)
    ]
    several = len({metric for _, metric in columns}) > 1
    heads = [f"{case}: {METRICS[metric]}" if several else case for case, metric in columns]
    rows = [["", *heads]]
    for peer in comparison.peers:
        rows.append([peer.name, *(_cell(result, peer, *column) for column in columns)])
    if comparison.name.startswith(names.GROWTH):
        rows = [list(row) for row in zip(*rows)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---" * len(rows[0]) + "|")
    references = sorted({peer.against for peer in comparison.peers if peer.against})
    if references:
        listed = ", ".join(f"*{name}*" for name in references)
        lines += ["", f"× is the ratio, in the same round, to the row's reference: {listed}."]
    return "\n".join(lines)


def figures(results: list[Result], machine: dict[str, str], versions: dict[str, str]) -> dict[str, Any]:
    """Everything that was measured, for programs."""
    return {
        "machine": machine,
        "versions": versions,
        "targets": [
            {"target": text, "measured": value, "reached": yes} for text, value, yes in _reached(results)
        ],
        "comparisons": {
            result.comparison.name: {
                "title": result.comparison.title,
                "rounds": len(result.rounds),
                "cases": {case.label: _summaries(result, case.label) for case in result.comparison.cases},
            }
            for result in results
        },
    }


def _summaries(result: Result, case: str) -> dict[str, dict[str, dict[str, float]]]:
    """Return the percentiles and the median ratio to the reference, by peer and metric."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for peer, metric in product(result.comparison.peers, result.comparison.metrics):
        values = result.values(case, peer.name, metric)
        if values:
            summary = dict(zip(("p10", "median", "p90"), spread(values)))
            ratios = _ratios(result, peer, case, metric)
            found.setdefault(peer.name, {})[metric] = {
                **summary,
                **({"ratio": median(ratios)} if ratios else {}),
            }
    return found


def _ratios(result: Result, peer: Peer, case: str, metric: str) -> list[float]:
    """Find the rounds' ratios to the row's reference."""
    against = peer.against
    if against is None or against == peer.name:
        return []
    return result.ratio(lambda of: of(peer.name, case, metric) / of(against, case, metric))


def spread(values: list[float]) -> tuple[float, float, float]:
    """Find the 10th percentile, the median and the 90th."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    tenths = quantiles(values, n=10, method="inclusive")
    return tenths[0], median(values), tenths[-1]


def written(value: float, metric: str) -> str:
    """With a unit that leaves few digits."""
    if metric == "per_second":
        return f"{value:,.0f}"
    units = [("B", 1), ("KiB", 2**10), ("MiB", 2**20)] if metric == "bytes" else []
    units = units or [("ns", 1), ("µs", 1e3), ("ms", 1e6)]
    unit, size = next((each for each in reversed(units) if abs(value) >= each[1]), units[0])
    digits = 0 if abs(value) / size >= 100 else 1 if abs(value) / size >= 10 else 2
    return f"{value / size:.{digits}f} {unit}"


def _cell(result: Result, peer: Peer, case: str, metric: str) -> str:
    values = result.values(case, peer.name, metric)
    if not values:
        return "–"
    low, middle, high = spread(values)
    text = f"{written(middle, metric)} ({written(low, metric)} – {written(high, metric)})"
    ratios = _ratios(result, peer, case, metric)
    return f"{text} ×{_short(median(ratios))}" if ratios else text


def _targets(results: list[Result]) -> str:
    lines = ["### Targets", "", "| target | measured | |", "|---|---|---|"]
    for text, value, yes in _reached(results):
        measured = "–" if value is None else _short(value)
        verdict = {True: "reached", False: "not reached", None: "not measured"}[yes]
        lines.append(f"| {text} | {measured} | {verdict} |")
    return "\n".join(lines)


def _reached(results: list[Result]) -> list[tuple[str, float | None, bool | None]]:
    by_name = {result.comparison.name: result for result in results}
    found: list[tuple[str, float | None, bool | None]] = []
    for target in TARGETS:
        result = by_name.get(target.comparison)
        ratios = result.ratio(target.of) if result else []
        if not ratios:
            found.append((target.text, None, None))
            continue
        value = median(ratios)
        yes = value >= target.least if target.least is not None else value <= (target.most or 0)
        found.append((target.text, value, yes))
    return found


def _facts(machine: dict[str, str], versions: dict[str, str]) -> str:
    told = "; ".join(f"{name}: {value}" for name, value in machine.items())
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{told}.\n\nVersions: {listed}."


def _over_open(of: Callable[..., float], rows: names.Rows, protected: str) -> float:
    return of(protected, rows.case) - of(rows.open, rows.case)


def _above_open(of: Callable[..., float], peer: str) -> float:
    return of(peer, metric="cpu_ns") - of(names.OPEN, metric="cpu_ns")


def _value(sample: dict[str, float], metric: str) -> float | None:
    if metric == "per_second":
        return 1e9 / sample["ns"] if sample.get("ns") else None
    return sample.get(metric)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
