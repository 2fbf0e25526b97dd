"""Many users at once on one server. Their requests are interleaved, so that a mix-up shows."""

from __future__ import annotations

import json
import random

from conformance.runner import TOKENS
from conformance.wire import Connection

USERS = [f"user_{number:02}" for number in range(50)]
REQUESTS = 10_000


def mixups(port: int, requests: int = REQUESTS) -> list[str]:
    """Ask `/upload` who is asking, and return what went wrong.

    In each round, the server has begun with the requests of all users, and waits for their bodies, before the
    first one comes. The bodies come in another order.
    """
    found, answered, order = [], 0, random.Random(7)
    connections = [Connection(port) for _ in USERS]
    while answered < requests:
        users = order.sample(USERS, len(USERS))
        for connection, user in zip(connections, users):
            connection.send(_head(user))
        for connection in connections:
            connection.wait_for_continue()
        for connection in order.sample(connections, len(connections)):
            connection.send(b"x")
        for place, user in enumerate(users):
            answer = connections[place].answer("POST", last=False)
            answered += 1
            expected = {"user_id": user.replace("_", "-"), "bytes": 1}
            if answer.status != 200 or json.loads(answer.body) != expected:
                found.append(f"{user}: {answer.status}, {answer.body!r}")
            if answer.values("connection") == ["close"]:
                connections[place].close()
                connections[place] = Connection(port)
    for connection in connections:
        connection.close()
    return found


def _head(user: str) -> bytes:
    lines = [
        "POST /upload HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {TOKENS['tokens'][user]}",
        "Expect: 100-continue",
        "Content-Length: 1",
    ]
    return "\r\n".join([*lines, "", ""]).encode()
