"""Sends the cases of `contract/adapters` to a server, and says where its answers differ."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from conformance.wire import Answer, Connection, MalformedError, websocket_headers

CONTRACT = Path(__file__).parents[3] / "contract" / "adapters"
CASES: list[dict[str, Any]] = json.loads((CONTRACT / "cases.json").read_text("ascii"))
TOKENS: dict[str, Any] = json.loads((CONTRACT / "tokens.json").read_text("ascii"))

_TEXT, _CLOSE = 1, 8


class Adapter(NamedTuple):
    """What an adapter, its framework or its server does in a way of its own."""

    lacks: frozenset[str] = frozenset()
    """Which `needs` of cases it does not meet."""

    error_member: str | None = None
    """The member of the body that the framework puts the details of errors in."""

    refuses_by_closing: bool = False
    """Whether the server can refuse a WebSocket only by closing it: with 403, or after it has accepted it."""

    decided_elsewhere: frozenset[str] = frozenset()
    """Cases by name that the framework answers in a way that no adapter can change."""


def mismatches(port: int, adapter: Adapter = Adapter()) -> list[str]:  # noqa: B008
    """Run all cases, and name those that are answered otherwise, and how."""
    found = []
    for case in CASES:
        if adapter.lacks.isdisjoint(case["needs"]) and case["name"] not in adapter.decided_elsewhere:
            try:
                problem = _mismatch(case, ask(port, case["request"]), adapter)
            except (MalformedError, OSError) as error:
                problem = f"{type(error).__name__}: {error}"
            if problem:
                found.append(f"{case['name']}: {problem}")
    return found


def ask(port: int, request: dict[str, Any]) -> Answer:
    """Send a request of a case and return the answer."""
    method, websocket = request["method"], request.get("websocket", False)
    handshake, accept = websocket_headers() if websocket else ([("Connection", "close")], "")
    body, framing = _body(request)
    fields = [("Host", f"127.0.0.1:{port}"), *handshake, *request["headers"], *framing]
    head = [
        f"{method} {filled(request['target'])} HTTP/1.1",
        *(f"{name}: {filled(value)}" for name, value in fields),
    ]
    with Connection(port) as connection:
        connection.send("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        answer = connection.answer(method, last=not websocket)
        if answer.status != 101:
            return answer
        if answer.values("sec-websocket-accept") != [accept]:
            raise MalformedError("the server does not answer the handshake's key")
        opcode, message = connection.message()
        text = message if opcode == _TEXT else b""
        if opcode == _TEXT:
            opcode, message = connection.message()
        if opcode != _CLOSE:
            raise MalformedError(f"a frame with opcode {opcode} where the WebSocket should be closed")
        # The code, and a reason that nobody compares.
        return answer._replace(body=text, close=int.from_bytes(message[:2], "big"))


def filled(text: str) -> str:
    """Put tokens in place of their names."""
    return re.sub(r"\{(\w+)\}", lambda name: TOKENS["tokens"][name[1]], text)


def _body(request: dict[str, Any]) -> tuple[bytes, list[tuple[str, str]]]:
    chunks, body = request.get("chunks"), request.get("body")
    if chunks is not None:
        encoded = "".join(f"{len(chunk):x}\r\n{chunk}\r\n" for chunk in [*chunks, ""])
        return encoded.encode(), [("Transfer-Encoding", "chunked")]
    if body is None:
        return b"", []
    text = body["repeat"] * body["times"] if isinstance(body, dict) else filled(body)
    return text.encode(), [("Content-Length", str(len(text)))]


def _mismatch(case: dict[str, Any], answer: Answer, adapter: Adapter) -> str | None:
    expect = case["expect"]
    first, *others = expect["status"] if isinstance(expect["status"], list) else [expect["status"]]
    if adapter.refuses_by_closing and "websocket" in case["needs"] and first != 101:
        closed = answer.status == 403 or (answer.status, answer.body, answer.close) == (
            101,
            b"",
            expect["close"],
        )
        return None if closed else f"{answer.status}, closed with {answer.close}"
    if answer.status in others:
        return None
    if answer.status != first:
        return f"{answer.status}, not {first}"
    for name, value in expect.get("headers", {}).items():
        if not _agrees(name, answer.values(name), value):
            return f"{name} is {answer.values(name)}, not {value!r}"
    for name in expect.get("absent", []):
        if answer.values(name):
            return f"{name} is there"
    return _content_mismatch(expect, answer, adapter)


def _content_mismatch(expect: dict[str, Any], answer: Answer, adapter: Adapter) -> str | None:
    if "json" in expect:
        try:
            body = json.loads(answer.body)
        except ValueError:
            return "the body is not JSON"
        if answer.status >= 400 and adapter.error_member:
            body = body.get(adapter.error_member)
        if body != expect["json"]:
            return f"the body is {body}"
    if "text" in expect and answer.body.decode() != expect["text"]:
        return f"the text is {answer.body!r}"
    if answer.status == 101 and answer.close != expect["close"]:
        return f"closed with {answer.close}"
    if "protocol" in expect:
        protocol = [expect["protocol"]] if expect["protocol"] else []
        if answer.values("sec-websocket-protocol") != protocol:
            return f"the subprotocol is {answer.values('sec-websocket-protocol')}"
    return None


def _agrees(name: str, values: list[str], expected: str) -> bool:
    if len(values) != 1:
        return False
    if expected == "{seconds}":
        return values[0].isdigit() and int(values[0]) > 0
    value = values[0].split(";")[0].strip() if name == "content-type" else values[0]
    return value == expected
