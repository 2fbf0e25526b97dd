"""A web application on aiohttp: its README says how to run it."""

from __future__ import annotations

import html
import os
import secrets
import socket
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from torii_backend import Require, ToriiAuthError, Verifier
from torii_backend.aiohttp import AUTH, auth_middleware, requires

SESSION, STATE = "session", "sign-in-state"

HOME = """<!doctype html><title>Example</title><h1>Example</h1>
<p>Anybody may read this page. <a href="/sign-in">Sign in</a> or see
<a href="/account">your account</a>.</p>"""
ACCOUNT = """<!doctype html><title>Your account</title><h1>Your account</h1>
<p>You are {user}. <a href="/admin">Administration</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>"""


def create_app(issuer: str, **settings: Any) -> web.Application:
    verifier = Verifier(issuer, cookie=SESSION, **settings)

    async def sign_in(request: web.Request) -> web.Response:
        state = secrets.token_urlsafe()
        back = request.url.with_path("/signed-in").with_query(state=state)
        page = f"{issuer}/sign-in?{urlencode({'redirect_url': str(back)})}"
        reply = web.Response(status=303, headers={"Location": page})
        reply.set_cookie(STATE, state, path="/signed-in", **cookie(request))
        return reply

    async def signed_in(request: web.Request) -> web.Response:
        # A link of somebody else's must not sign this browser in as them.
        state = request.cookies.get(STATE)
        if not state or request.query.get("state") != state:
            return web.Response(text="Please sign in again.", status=400)
        token = request.query.get("torii_token", "")
        try:
            await verifier.verify_async(token)
        except ToriiAuthError as error:
            return web.Response(text="Please sign in again.", status=error.http_status)
        # To an address without the token, which must not stay in the browser's history.
        reply = web.Response(status=303, headers={"Location": "/account"})
        reply.set_cookie(SESSION, token, **cookie(request))
        reply.del_cookie(STATE, path="/signed-in")
        return reply

    app = web.Application()
    app.router.add_get("/", home)
    app.router.add_get("/sign-in", sign_in)
    app.router.add_get("/signed-in", signed_in)
    app.router.add_post("/sign-out", sign_out)
    # Everything in a subapplication needs a caller.
    for path, page in {"/account": account, "/admin": admin}.items():
        protected = web.Application(
            middlewares=[auth_middleware(verifier=verifier, on_refused=ask_to_sign_in)]
        )
        protected.router.add_get("", page)
        app.add_subapp(path, protected)
    return app


async def home(request: web.Request) -> web.Response:
    return web.Response(text=HOME, content_type="text/html")


async def account(request: web.Request) -> web.Response:
    text = ACCOUNT.format(user=html.escape(request[AUTH].user_id))
    return web.Response(text=text, content_type="text/html")


@requires(Require(organization=True, role="org:administrator"))
async def admin(request: web.Request) -> web.Response:
    return web.Response(text="Administrators see this.", content_type="text/html")


async def sign_out(request: web.Request) -> web.Response:
    reply = web.Response(status=303, headers={"Location": "/"})
    reply.del_cookie(SESSION)
    return reply


def ask_to_sign_in(error: Exception, refusal: Any) -> Any:
    """Send the browser to sign in; what else is refused is answered as ever."""
    return refusal._replace(status=303, headers={"Location": "/sign-in"}) if refusal.status == 401 else None


def cookie(request: web.Request) -> dict[str, Any]:
    """Make a cookie that scripts cannot read, and that other sites' forms do not send."""
    return {"httponly": True, "samesite": "Lax", "secure": request.secure}


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "3000")))) as listener:
        print(f"open http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        web.run_app(create_app(os.environ["TORII_ISSUER"]), sock=listener, print=None)
