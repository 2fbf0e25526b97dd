"""An ASGI application that uses the package while it is loaded, before `gunicorn --preload` forks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from typing import Any

import torii_backend
from scenario import USER, async_client, client

ISSUER = os.environ["TORII_ISSUER"]
MASTER = os.getpid()
TORII = async_client(ISSUER)

torii_backend.verify_token(os.environ["TOKEN"], issuer=ISSUER)
client(ISSUER).users.get(USER)
# Where a worker loads this itself, its loop is running already.
with contextlib.suppress(RuntimeError), contextlib.closing(TORII.users.get(USER)) as call:
    asyncio.run(call)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    status, body = await answer(scope["headers"])
    length = b"%d" % len(body)
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


async def answer(headers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    try:
        auth = await torii_backend.authenticate_request_async(headers, issuer=ISSUER)
    except torii_backend.ToriiAuthError as refusal:
        return refusal.http_status, b""
    user = await TORII.users.get(auth.user_id)
    return 200, json.dumps({"user": str(user.id), "worker": os.getpid(), "master": MASTER}).encode()
