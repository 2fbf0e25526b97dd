"""FastAPI: the type of the claims follows from the argument, and reaches the route."""

from typing import Annotated, Any, Optional

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from torii_backend import Require, ToriiAuth
from torii_backend.fastapi import require_auth
from typing_extensions import assert_type


class MyClaims(BaseModel):
    plan: str


app = FastAPI()
auth = require_auth(issuer="https://acme.torii.so", claims=MyClaims, require=Require(verified_email=True))
plain = require_auth(issuer="https://acme.torii.so")
maybe = require_auth(issuer="https://acme.torii.so", optional=True)


@app.get("/plan")
async def plan(caller: Annotated[ToriiAuth[MyClaims], Depends(auth)]) -> str:
    assert_type(caller.claims, MyClaims)
    caller.claims.seats  # expect-error
    return caller.claims.plan


@app.get("/me")
async def me(caller: Annotated[ToriiAuth, Depends(plain)]) -> str:
    assert_type(caller.claims, dict[str, Any])
    caller.claims.plan  # expect-error
    return caller.user_id


@app.get("/maybe")
async def perhaps(caller: Annotated[Optional[ToriiAuth], Depends(maybe)]) -> Optional[str]:
    caller.user_id  # expect-error
    return caller.user_id if caller else None


require_auth(issuer="https://acme.torii.so", claims="MyClaims")  # expect-error
require_auth(issuer="https://acme.torii.so", require={"role": "admin"})  # expect-error
require_auth(issuer="https://acme.torii.so", cookies="session")  # expect-error
require_auth(issuer="https://acme.torii.so", on_refused=lambda error: None)  # expect-error
