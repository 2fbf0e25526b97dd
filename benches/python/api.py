"""`users.get` against the canned server, and a walk over its users: `api.py PEER FOLDER`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING

import worker

if TYPE_CHECKING:
    from collections.abc import Callable

    Gets = Callable[[list[str]], object]
    """One call after the other."""

PATH = "/api/server/v1/users/"


def torii_backend(world: worker.World) -> Gets:
    """Ours or the published one: whichever this interpreter has."""
    from torii_backend import create_torii_client

    return _each(create_torii_client(secret_key=world.secret_key, api_url=world.url).users.get)


def torii_backend_async(world: worker.World) -> Gets:
    from torii_backend import AsyncToriiClient

    client = AsyncToriiClient(secret_key=world.secret_key, api_url=world.url)
    loop = asyncio.new_event_loop()

    async def each(user_ids: list[str]) -> None:
        for user_id in user_ids:
            await client.users.get(user_id)

    return lambda user_ids: loop.run_until_complete(each(user_ids))


def httpx(world: worker.World) -> Gets:
    import httpx

    headers = {"Authorization": f"Bearer {world.secret_key}"}
    client = httpx.Client(base_url=world.url, headers=headers, trust_env=False)
    return _each(lambda user_id: client.get(PATH + user_id).raise_for_status().json())


def urllib3(world: worker.World) -> Gets:
    import urllib3

    pool = urllib3.connection_from_url(world.url)
    headers = {"Authorization": f"Bearer {world.secret_key}"}
    return _each(lambda user_id: json.loads(pool.request("GET", PATH + user_id, headers=headers).data))


def walk(world: worker.World, users: int) -> worker.Sample:
    """Every user once. `bytes` is how far the process grew while it walked, looked at a hundred times."""
    from torii_backend import create_torii_client

    client = create_torii_client(secret_key=world.secret_key, api_url=world.url)
    walked = iter(client.users.iterate(limit=100))
    # What the first page makes stays: models, a connection.
    for _ in islice(walked, 100):
        pass
    before = largest = worker.resident()
    cpu, start = time.process_time_ns(), time.perf_counter_ns()
    for _ in range(100):
        for _ in islice(walked, users // 100):
            pass
        largest = max(largest, worker.resident())
    wall, cpu = time.perf_counter_ns() - start, time.process_time_ns() - cpu
    return {"ns": wall / users, "cpu_ns": cpu / users, "bytes": largest - before}


def _each(get: Callable[[str], object]) -> Gets:
    def each(user_ids: list[str]) -> None:
        for user_id in user_ids:
            get(user_id)

    return each


def main(peer: str, folder: str) -> None:
    world = worker.load(folder)
    peers = {
        "torii_backend": torii_backend,
        "torii_backend_async": torii_backend_async,
        "httpx": httpx,
        "urllib3": urllib3,
    }
    gets = peers[peer](world)
    block = [[world.user_id] * worker.BLOCK]

    def measure(case: worker.Case) -> worker.Sample:
        if case.name == "walk":
            return walk(world, case.size)
        return worker.repeat(case, lambda _: block, gets)

    worker.answer(measure)


if __name__ == "__main__":
    main(*sys.argv[1:])
