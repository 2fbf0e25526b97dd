"""What torii replies with, made by hand."""

from __future__ import annotations

from typing import Any

from support.keys import ENVIRONMENT


def user(number: int) -> dict[str, Any]:
    moment = "2026-01-01T00:00:00Z"
    return {
        "id": f"01931a73-8b00-7000-8000-{number:012}",
        "environmentId": ENVIRONMENT,
        "status": "active",
        "createdAt": moment,
        "updatedAt": moment,
    }


def page(*numbers: int, cursor: str | None = None, more: bool | None = None) -> dict[str, Any]:
    more = cursor is not None if more is None else more
    return {"items": [user(number) for number in numbers], "nextCursor": cursor, "hasMore": more}
