"""Verification of tokens seen for the first time (`cold`) and again (`hot`): `verify.py PEER FOLDER`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import worker

if TYPE_CHECKING:
    from collections.abc import Callable

    Verify = Callable[[str], object]


def torii_backend(world: worker.World) -> Verify:
    """Ours or the published one: whichever this interpreter has."""
    from torii_backend import verify_token

    return lambda token: verify_token(token, issuer=world.url)


def pyjwt(world: worker.World) -> Verify:
    import jwt

    key = jwt.PyJWK(world.jwk)
    options = {"require": ["sub", "iat", "exp", "iss"]}
    return lambda token: jwt.decode(token, key, algorithms=["ES256"], issuer=world.url, options=options)


def joserfc(world: worker.World) -> Verify:
    from joserfc import jwt
    from joserfc.jwk import KeySet

    keys = KeySet.import_key_set({"keys": [world.jwk]})
    required = {"essential": True}
    claims = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": world.url}, sub=required, iat=required, exp=required
    )
    return lambda token: claims.validate(jwt.decode(token, keys, algorithms=["ES256"]).claims)


def batch(world: worker.World) -> Callable[[worker.Case], worker.Sample]:
    """Verify new tokens, so many at a time: on this thread, or with the package's help."""
    from torii_backend import Verifier

    verifier = Verifier(world.url, remember_verified=0)
    verifier.warm_up()

    def measure(case: worker.Case) -> worker.Sample:
        tokens, done = world.tokens[: case.size], 0
        start = now = time.perf_counter_ns()
        while now - start < case.milliseconds * 1_000_000:
            if case.name == "batch":
                verifier.verify_many(tokens)
            else:
                for token in tokens:
                    verifier.verify(token)
            done += len(tokens)
            now = time.perf_counter_ns()
        return {"ns": (now - start) / done}

    return measure


def main(peer: str, folder: str) -> None:
    world = worker.load(folder)
    verify = {"torii_backend": torii_backend, "pyjwt": pyjwt, "joserfc": joserfc}[peer](world)
    tokens = worker.Tokens(world.tokens)
    seen = 0

    def measure(case: worker.Case) -> worker.Sample:
        if case.name in ("one by one", "batch"):
            return batch(world)(case)
        if case.name == "cold":
            return worker.repeat(case, tokens.cold, verify)
        nonlocal seen
        # Who remembers tokens is to have seen these; who does not loses only time.
        for token in world.tokens[seen : case.size]:
            verify(token)
        seen = max(seen, case.size)
        return worker.repeat(case, tokens.hot(case.size), verify)

    # The keys are at hand before the first measurement.
    verify(world.tokens[-1])
    worker.answer(measure)


if __name__ == "__main__":
    main(*sys.argv[1:])
