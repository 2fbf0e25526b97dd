"""`scripts/check-site`, which says whether a built site is whole."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.emulator import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = {
    "index.html": '<a href="guide/first.html#begin">x</a> <a href="#here" id="here">x</a> <img src="a.svg">',
    "guide/first.html": '<h1 id="begin">x</h1> <a href="../index.html">x</a> <a href="https://torii.so">x</a>',
    "a.svg": "<svg/>",
}


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ("", ""),
        ('<a href="gone.html">x</a>', "gone.html: does not exist"),
        ('<a href="guide/first.html#gone">x</a>', "first.html#gone: has no such section"),
        ('<a href="/index.html">x</a>', "/index.html: is not relative"),
        ('<a href="https://unknown.example">x</a>', "unknown.example: links to a host that is not listed"),
        ('<script src="https://torii.so/a.js"></script>', "a.js: is loaded from another host"),
        ('<link rel="stylesheet" href="//torii.so/a.css">', "a.css: is loaded from another host"),
        ('<img src="https://torii.so/a.png">', "a.png: is loaded from another host"),
        ("<style>@import url(https://torii.so/a.css)</style>", "a.css: is loaded from another host"),
    ],
)
def test_a_site_is_whole_or_its_fault_is_named(tmp_path: Path, added: str, fault: str) -> None:
    for name, text in WHOLE.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + (added if name == "index.html" else ""))
    done = check(tmp_path)
    assert fault in done.stderr
    assert (done.returncode, not done.stderr) == ((1, False) if fault else (0, True))


def test_a_style_sheet_loads_nothing_from_another_host(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>x</p>")
    (tmp_path / "a.css").write_text("@font-face { src: url('https://torii.so/a.woff2') }")
    assert "a.css: https://torii.so/a.woff2: is loaded from another host" in check(tmp_path).stderr


def test_an_empty_folder_is_no_site(tmp_path: Path) -> None:
    assert check(tmp_path).returncode == 1


def check(site: Path) -> subprocess.CompletedProcess[str]:
    script = str(REPOSITORY / "scripts/check-site")
    return subprocess.run([sys.executable, script, str(site)], capture_output=True, text=True, check=False)
