"""A process that does everything with a secret key and a token, and says all it can while doing so."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import logging
import sys
import warnings

import torii_backend
from scenario import USER, async_client, client, play


def everything(url: str, token: str, secret_key: str) -> None:
    """Uses the package with every log, warning and dump on."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
    warnings.simplefilter("always")
    torii, verifier = client(url, secret_key=secret_key), torii_backend.Verifier(url)
    for _ in range(5):
        torii.users.get(USER)
        list(torii.users.iterate(limit=1))
        torii.users.create(email="x@y.com")
        verifier.verify(token)
        with contextlib.suppress(torii_backend.ToriiAuthError):
            verifier.verify(token[:-8] + "AAAAAAAA")
        asyncio.run(use_async(url, token, secret_key))
    faulthandler.dump_traceback(all_threads=True)
    del torii, verifier
    gc.collect()


async def use_async(url: str, token: str, secret_key: str) -> None:
    async with async_client(url, secret_key=secret_key) as torii:
        await torii.users.get(USER)
    await torii_backend.verify_token_async(token, issuer=url)


if __name__ == "__main__":
    play(globals())
