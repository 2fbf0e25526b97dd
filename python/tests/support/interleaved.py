"""Many requests of many users at once over connections that stay open: who gets another user's answer?"""

from __future__ import annotations

import asyncio
import json


async def mix_ups(port: int, users: dict[str, str], *, connections: int = 50, requests: int = 10_000) -> int:
    """How many of these requests of `GET /me` are answered with another user than the one of their token."""
    names = sorted(users)

    async def one(number: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        wrong = 0
        for turn in range(requests // connections):
            # Neighbours ask for different users, and each connection for all of them.
            name = names[(number + turn * 7) % len(names)]
            writer.write(
                f"GET /me HTTP/1.1\r\nHost: app\r\nAuthorization: Bearer {users[name]}\r\n\r\n".encode()
            )
            wrong += await _user(reader) != name
        writer.close()
        await writer.wait_closed()
        return wrong

    return sum(await asyncio.gather(*(one(number) for number in range(connections))))


async def _user(reader: asyncio.StreamReader) -> object:
    head = await reader.readuntil(b"\r\n\r\n")
    status, *fields = head.decode().lower().split("\r\n")
    assert status.split()[1] == "200", status
    (length,) = [int(field.partition(":")[2]) for field in fields if field.startswith("content-length:")]
    return json.loads(await reader.readexactly(length))["user_id"]
