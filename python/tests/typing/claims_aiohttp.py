"""aiohttp: `request[AUTH]` is a `ToriiAuth`, whose claims take the type that a handler names."""

from aiohttp import web
from pydantic import BaseModel
from torii_backend import Require, ToriiAuth
from torii_backend.aiohttp import AUTH, auth_middleware, requires
from typing_extensions import assert_type


class MyClaims(BaseModel):
    plan: str


app = web.Application(middlewares=[auth_middleware(issuer="https://acme.torii.so", claims=MyClaims)])


@requires(Require(verified_email=True))
async def plan(request: web.Request) -> web.Response:
    auth: ToriiAuth[MyClaims] = request[AUTH]
    assert_type(auth.claims, MyClaims)
    auth.claims.seats  # expect-error
    request[AUTH].user  # expect-error
    return web.json_response({"user_id": request[AUTH].user_id})


app.router.add_get("/plan", plan)

auth_middleware(issuer="https://acme.torii.so", cookies="session")  # expect-error
auth_middleware(issuer="https://acme.torii.so", claims="MyClaims")  # expect-error
requires("org:administrator")  # expect-error
requires(Require())("plan")  # expect-error
