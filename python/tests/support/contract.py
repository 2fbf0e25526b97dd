"""The operations and wire cases of `contract`, which `contract/README.md` describes."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, NamedTuple

from support.emulator import REPOSITORY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLACEHOLDERS = {
    "user": "01931a73-8b00-7000-8000-000000000000",
    "bob": "01931a73-8b00-7000-8000-00000000b0b0",
    "session": "01931a74-1234-7000-8000-000000000000",
    "environment": "01931a72-0000-7000-8000-000000000000",
    "organization": "01931a75-0000-7000-8000-000000000000",
    "other": "01931a75-0000-7000-8000-00000000000f",
    "invitation": "01931a76-0000-7000-8000-000000000000",
    "second": "01931a76-0000-7000-8000-000000000002",
    "cursor": "01931a77-0000-7000-8000-000000000000",
    "time": "2026-05-16T09:30:00Z",
    "text": "some text",
}


class Case(NamedTuple):
    operation: str
    behaviour: str
    args: dict[str, Any]
    request: dict[str, Any]
    reply: dict[str, Any] | None
    error: dict[str, Any] | None


def rows() -> list[dict[str, Any]]:
    """The tables of `operations.toml`."""
    return list(tomllib.loads((REPOSITORY / "contract/operations.toml").read_text()).values())


def cases() -> list[Case]:
    """Every wire case, with its placeholders filled in."""
    cases = []
    for path in sorted((REPOSITORY / "contract/wire").glob("*.json")):
        text = re.sub(r"\{(\w+)\}", lambda found: PLACEHOLDERS[found[1]], path.read_text())
        file = json.loads(text)
        for each in file["cases"]:
            outcome = each.get("reply"), each.get("error")
            cases.append(Case(file["operation"], each["behaviour"], each["args"], each["request"], *outcome))
    return cases
