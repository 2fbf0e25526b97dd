"""Litestar: `request.auth` is of the type that a handler names."""

from typing import Any

from litestar import Litestar, Request, get
from pydantic import BaseModel
from torii_backend import Require, ToriiAuth
from torii_backend.litestar import requires, torii_auth
from typing_extensions import assert_type


class MyClaims(BaseModel):
    plan: str


Caller = ToriiAuth[MyClaims]


@get("/plan", guards=[requires(Require(verified_email=True))])
async def plan(request: Request[Caller, Caller, Any]) -> str:
    assert_type(request.auth.claims, MyClaims)
    request.auth.claims.seats  # expect-error
    return request.auth.claims.plan


auth = torii_auth(issuer="https://acme.torii.so", claims=MyClaims, exclude_opt_key="public")
app = Litestar([plan], middleware=[auth])

torii_auth(issuer="https://acme.torii.so", exclude="/public")  # expect-error
torii_auth(issuer="https://acme.torii.so", claims="MyClaims")  # expect-error
requires("org:administrator")  # expect-error
