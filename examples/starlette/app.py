"""A web application on Starlette: its README says how to run it."""

import html
import os
import secrets
import socket
from typing import Any
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from torii_backend import Require, ToriiAuthError, Verifier
from torii_backend.starlette import AuthMiddleware, requires

SESSION, STATE = "session", "sign-in-state"

HOME = """<!doctype html><title>Example</title><h1>Example</h1>
<p>Anybody may read this page. <a href="/sign-in">Sign in</a> or see
<a href="/account">your account</a>.</p>"""
ACCOUNT = """<!doctype html><title>Your account</title><h1>Your account</h1>
<p>You are {user}. <a href="/admin">Administration</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>"""


def create_app(issuer: str, **settings: Any) -> Starlette:
    verifier = Verifier(issuer, cookie=SESSION, **settings)

    async def sign_in(request: Request) -> Response:
        state = secrets.token_urlsafe()
        back = request.url_for("signed-in").include_query_params(state=state)
        reply = RedirectResponse(f"{issuer}/sign-in?{urlencode({'redirect_url': str(back)})}", 303)
        reply.set_cookie(STATE, state, path="/signed-in", **cookie(request))
        return reply

    async def signed_in(request: Request) -> Response:
        # A link of somebody else's must not sign this browser in as them.
        state = request.cookies.get(STATE)
        if not state or request.query_params.get("state") != state:
            return HTMLResponse("Please sign in again.", 400)
        token = request.query_params.get("torii_token", "")
        try:
            await verifier.verify_async(token)
        except ToriiAuthError as error:
            return HTMLResponse("Please sign in again.", error.http_status)
        # To an address without the token, which must not stay in the browser's history.
        reply = RedirectResponse("/account", 303)
        reply.set_cookie(SESSION, token, **cookie(request))
        reply.delete_cookie(STATE, path="/signed-in")
        return reply

    protected = [Middleware(AuthMiddleware, verifier=verifier, on_refused=ask_to_sign_in)]
    return Starlette(
        routes=[
            Route("/", home),
            Route("/sign-in", sign_in),
            Route("/signed-in", signed_in, name="signed-in"),
            Route("/sign-out", sign_out, methods=["POST"]),
            # Everything that is not above needs a caller.
            Mount("/", routes=[Route("/account", account), Route("/admin", admin)], middleware=protected),
        ]
    )


async def home(request: Request) -> Response:
    return HTMLResponse(HOME)


async def account(request: Request) -> Response:
    return HTMLResponse(ACCOUNT.format(user=html.escape(request.state.torii.user_id)))


@requires(Require(organization=True, role="org:administrator"))
async def admin(request: Request) -> Response:
    return HTMLResponse("Administrators see this.")


async def sign_out(request: Request) -> Response:
    reply = RedirectResponse("/", 303)
    reply.delete_cookie(SESSION)
    return reply


def ask_to_sign_in(error: Exception, refusal: Any) -> Any:
    """Send the browser to sign in; what else is refused is answered as ever."""
    return refusal._replace(status=303, headers={"Location": "/sign-in"}) if refusal.status == 401 else None


def cookie(request: Request) -> dict[str, Any]:
    """Make a cookie that scripts cannot read, and that other sites' forms do not send."""
    return {"httponly": True, "samesite": "lax", "secure": request.url.scheme == "https"}


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "3000")))) as listener:
        print(f"open http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        config = uvicorn.Config(create_app(os.environ["TORII_ISSUER"]), log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])
