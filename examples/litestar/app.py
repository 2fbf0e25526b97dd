"""A web application on Litestar: its README says how to run it."""

import html
import os
import secrets
import socket
from typing import Any
from urllib.parse import urlencode

import uvicorn
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect
from torii_backend import Require, ToriiAuth, ToriiAuthError, Verifier
from torii_backend.litestar import requires, torii_auth

SESSION, STATE = "session", "sign-in-state"

HOME = """<!doctype html><title>Example</title><h1>Example</h1>
<p>Anybody may read this page. <a href="/sign-in">Sign in</a> or see
<a href="/account">your account</a>.</p>"""
ACCOUNT = """<!doctype html><title>Your account</title><h1>Your account</h1>
<p>You are {user}. <a href="/admin">Administration</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>"""

AnyRequest = Request[Any, Any, Any]


def create_app(issuer: str, **settings: Any) -> Litestar:
    verifier = Verifier(issuer, cookie=SESSION, **settings)

    @get("/sign-in", exclude_from_auth=True)
    async def sign_in(request: AnyRequest) -> Response[Any]:
        state = secrets.token_urlsafe()
        back = f"{request.base_url}signed-in?state={state}"
        page = f"{issuer}/sign-in?{urlencode({'redirect_url': back})}"
        kept = Cookie(STATE, value=state, path="/signed-in", **safe(request))
        return Redirect(page, status_code=303, cookies=[kept])

    @get("/signed-in", exclude_from_auth=True, media_type=MediaType.HTML)
    async def signed_in(request: AnyRequest) -> Response[Any]:
        # A link of somebody else's must not sign this browser in as them.
        state = request.cookies.get(STATE)
        if not state or request.query_params.get("state") != state:
            return Response("Please sign in again.", status_code=400)
        token = request.query_params.get("torii_token", "")
        try:
            await verifier.verify_async(token)
        except ToriiAuthError as error:
            return Response("Please sign in again.", status_code=error.http_status)
        # To an address without the token, which must not stay in the browser's history.
        kept = Cookie(SESSION, value=token, **safe(request))
        reply = Redirect("/account", status_code=303, cookies=[kept])
        reply.delete_cookie(STATE, path="/signed-in")
        return reply

    # Every handler needs a caller, unless it says that it does not.
    middleware = [torii_auth(verifier=verifier, on_refused=ask_to_sign_in)]
    return Litestar([home, account, admin, sign_in, signed_in, sign_out], middleware=middleware)


@get("/", exclude_from_auth=True, media_type=MediaType.HTML)
async def home() -> str:
    return HOME


@get("/account", media_type=MediaType.HTML)
async def account(request: Request[ToriiAuth, ToriiAuth, Any]) -> str:
    return ACCOUNT.format(user=html.escape(request.auth.user_id))


@get(
    "/admin",
    media_type=MediaType.HTML,
    guards=[requires(Require(organization=True, role="org:administrator"))],
)
async def admin() -> str:
    return "Administrators see this."


@post("/sign-out", exclude_from_auth=True)
async def sign_out() -> Response[Any]:
    reply = Redirect("/", status_code=303)
    reply.delete_cookie(SESSION)
    return reply


def ask_to_sign_in(error: Exception, refusal: Any) -> Any:
    """Send the browser to sign in; what else is refused is answered as ever."""
    return refusal._replace(status=303, headers={"Location": "/sign-in"}) if refusal.status == 401 else None


def safe(request: AnyRequest) -> dict[str, Any]:
    """Make a cookie that scripts cannot read, and that other sites' forms do not send."""
    return {"httponly": True, "samesite": "lax", "secure": request.url.scheme == "https"}


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "3000")))) as listener:
        print(f"open http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        config = uvicorn.Config(create_app(os.environ["TORII_ISSUER"]), log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])
