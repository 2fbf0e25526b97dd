"""The shell blocks of the documents. The line above each says what the tests do with it:

    <!-- run: here -->           test_docs.py runs it in the checkout, where a local torii stands
    <!-- not run: REASON -->     nothing

In docs/tutorial.md, whose blocks test_tutorial.py runs in turn, the line is needed for these only:

    <!-- run: until TEXT -->     it runs until the page ends; the next block waits for TEXT in its output
    <!-- run: install -->        it is run only when TORII_DOCS_INSTALL is set, since it compiles for minutes
    <!-- file: NAME -->          the block below is a file of this name
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from support.emulator import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = re.compile(
    r"(?:^<!-- (?P<rule>run|not run|file): (?P<detail>[^\n]+) -->\n)?"
    r"^```(?P<language>sh|python)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
TUTORIAL = "docs/tutorial.md"
DOCUMENTS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/**/*.md")
    for path in REPOSITORY.glob(pattern)
)


class Block(NamedTuple):
    rule: str | None
    detail: str
    language: str
    text: str


def blocks(document: Path) -> list[Block]:
    found = BLOCK.finditer(document.read_text("utf-8"))
    return [Block(each["rule"], each["detail"] or "", each["language"], each["text"]) for each in found]
