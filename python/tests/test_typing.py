"""pyright and mypy accept the files of `typing/`, except for the lines that end with `# expect-error`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torii_backend

TESTS = Path(__file__).parent
FILES = sorted((TESTS / "typing").glob("*.py"))
FRAMEWORKS = ("aiohttp", "fastapi", "flask", "litestar", "starlette")
Lines = set[tuple[str, int]]
# Where the package is, also if it is not installed.
PACKAGE = Path(torii_backend.__file__).parents[1]


def checked() -> list[Path]:
    """The files whose framework is here."""
    missing = [f"claims_{name}.py" for name in FRAMEWORKS if not find_spec(name)]
    return [file for file in FILES if file.name not in missing]


def expected() -> Lines:
    return {
        (file.name, number)
        for file in checked()
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if line.endswith("# expect-error")
    }


def run(*command: str) -> str:
    path = {} if PACKAGE.name == "site-packages" else {"MYPYPATH": str(PACKAGE)}
    environment = {**os.environ, **path}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=TESTS, env=environment)
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.skipif(not find_spec("pyright"), reason="pyright is not installed")
@pytest.mark.timeout(300)
def test_pyright_takes_the_good_lines_and_no_other(tmp_path: Path) -> None:
    # An expression of a wrong type is the point of most lines.
    settings: dict[str, Any] = {
        "include": [os.path.relpath(file, tmp_path) for file in checked()],
        "extraPaths": [str(PACKAGE)],
        "typeCheckingMode": "strict",
        "reportUnusedExpression": False,
        "reportUnknownMemberType": False,
        "reportUnknownLambdaType": False,
        "reportUnknownArgumentType": False,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    output = run(
        sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(tmp_path)
    )
    found = {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1): each["message"]
        for each in json.loads(output)["generalDiagnostics"]
    }
    assert differences(found) == []


@pytest.mark.skipif(not find_spec("mypy"), reason="mypy is not installed")
@pytest.mark.timeout(300)
def test_mypy_takes_the_good_lines_and_no_other(tmp_path: Path) -> None:
    files = [str(file) for file in checked()]
    options = ["--strict", "--no-error-summary", "--hide-error-context", f"--cache-dir={tmp_path}"]
    output = run(sys.executable, "-m", "mypy", *options, "--follow-imports=silent", *files)
    matches = re.finditer(r"^.*?(\w+\.py):(\d+): error: (.*)$", output, re.MULTILINE)
    assert differences({(match[1], int(match[2])): match[3] for match in matches}) == []


def differences(found: dict[tuple[str, int], str]) -> list[str]:
    unexpected = [f"{name}:{line}: {found[name, line]}" for name, line in sorted(found.keys() - expected())]
    return [*unexpected, *(f"{name}:{line}: is accepted" for name, line in sorted(expected() - found.keys()))]


def test_there_are_lines_of_both_kinds() -> None:
    assert len(FILES) >= 5
    for file in FILES:
        lines = file.read_text().splitlines()
        assert 0 < sum(line.endswith("# expect-error") for line in lines) < len(lines), file.name
