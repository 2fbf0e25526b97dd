"""Every comparison, side by side in one run: `python3 benches/run.py [--quick] [--only rust,python,node]`.

Peers are installed below `target/benches`, never into the product. A whole run writes `docs/results.md`,
figures and plots. Any other writes to `target/benches/results`: a quick one only shows that everything works.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import comparisons
import peers
import plot
import report
import rounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = ("rust", "python", "node")
PAGE = peers.REPOSITORY / "docs/results.md"
BEGIN, END = "<!-- results: written by benches/run.py -->", "<!-- end of results -->"


def main() -> None:
    arguments = _arguments()
    programs = peers.install(arguments.only, arguments.package)
    size = comparisons.QUICK if arguments.quick else comparisons.FULL
    machine = peers.machine()
    folder = peers.TARGET / "world"
    log = peers.TARGET / "workers.log"
    log.write_bytes(b"")
    results = []
    with ExitStack() as stack:
        world = [programs.rust, "serve", str(folder), str(size.tokens)]
        url = stack.enter_context(closing(rounds.Worker(world, log))).greeting["url"]

        def application(python: str) -> str:
            command = [python, str(peers.BENCHES / "python/app.py"), url]
            return stack.enter_context(closing(rounds.Worker(command, log))).greeting["url"]

        def everything() -> Iterator[rounds.Comparison]:
            yield from comparisons.verification(programs, str(folder), size)
            yield from comparisons.inside(programs, str(folder), size)
            yield from comparisons.api(programs, str(folder), size)
            yield from comparisons.adapters(programs, str(folder), size)
            if "python" in arguments.only:
                yield from comparisons.imports(programs, size)
                yield from comparisons.python_adapters(programs, str(folder), size)
                yield from comparisons.web(programs, str(folder), size, application)

        for comparison in everything():
            if arguments.comparison and comparison.name not in arguments.comparison:
                continue
            print(f"{comparison.title} …", file=sys.stderr, flush=True)
            result = report.Result(comparison, rounds.run(comparison, log))
            print(f"\n{comparison.title}\n\n{report.table(result)}\n", flush=True)
            results.append(result)
    whole = not (arguments.quick or arguments.comparison or arguments.only != set(KINDS))
    _write(results, machine, programs.versions, PAGE if whole else peers.TARGET / "results/results.md")


def _write(
    results: list[report.Result], machine: dict[str, str], versions: dict[str, str], page: Path
) -> None:
    folder = page.parent / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    plots = {result.comparison.name: plot.draw(result, folder) for result in results}
    figures = report.figures(results, machine, versions)
    (folder / "results.json").write_text(json.dumps(figures, indent=1) + "\n")
    text = page.read_text() if page.exists() else f"{BEGIN}\n{END}\n"
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    section = report.markdown(results, machine, versions, plots)
    page.write_text(f"{before}{BEGIN}\n{section}\n{END}{after}")
    print(f"written: {page}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything: does it work?")
    parser.add_argument(
        "--only", default=",".join(KINDS), help="languages, with commas; Rust is always there"
    )
    parser.add_argument("--comparison", action="append", help="this comparison only; may be repeated")
    parser.add_argument(
        "--package",
        default=str(peers.REPOSITORY),
        help="what pip installs as our Python package: default this repository",
    )
    arguments = parser.parse_args()
    arguments.only = set(arguments.only.split(",")) | {"rust"}
    if arguments.only - set(KINDS):
        parser.error(f"--only takes {', '.join(KINDS)}")
    return arguments


if __name__ == "__main__":
    main()
