"""A web application on FastAPI: its README says how to run it."""

import html
import os
import secrets
import socket
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from torii_backend import Require, ToriiAuth, ToriiAuthError, Verifier
from torii_backend.fastapi import require_auth

SESSION, STATE = "session", "sign-in-state"

HOME = """<!doctype html><title>Example</title><h1>Example</h1>
<p>Anybody may read this page. <a href="/sign-in">Sign in</a> or see
<a href="/account">your account</a>.</p>"""
ACCOUNT = """<!doctype html><title>Your account</title><h1>Your account</h1>
<p>You are {user}. <a href="/admin">Administration</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>"""


def create_app(issuer: str, **settings: Any) -> FastAPI:
    app = FastAPI()
    verifier = Verifier(issuer, cookie=SESSION, **settings)
    signed_in = require_auth(verifier=verifier, on_refused=ask_to_sign_in)
    administrator = signed_in.require(Require(organization=True, role="org:administrator"))

    @app.get("/", response_class=HTMLResponse)
    async def home() -> str:
        return HOME

    @app.get("/account", response_class=HTMLResponse)
    async def account(auth: Annotated[ToriiAuth, Depends(signed_in)]) -> str:
        return ACCOUNT.format(user=html.escape(auth.user_id))

    @app.get("/admin", dependencies=[Depends(administrator)], response_class=HTMLResponse)
    async def admin() -> str:
        return "Administrators see this."

    @app.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        state = secrets.token_urlsafe()
        back = request.url_for("returned").include_query_params(state=state)
        reply = RedirectResponse(f"{issuer}/sign-in?{urlencode({'redirect_url': str(back)})}", 303)
        reply.set_cookie(STATE, state, path="/signed-in", **cookie(request))
        return reply

    @app.get("/signed-in")
    async def returned(request: Request, state: str = "", torii_token: str = "") -> Response:
        # A link of somebody else's must not sign this browser in as them.
        if not state or state != request.cookies.get(STATE):
            return HTMLResponse("Please sign in again.", 400)
        try:
            await verifier.verify_async(torii_token)
        except ToriiAuthError as error:
            return HTMLResponse("Please sign in again.", error.http_status)
        # To an address without the token, which must not stay in the browser's history.
        reply = RedirectResponse("/account", 303)
        reply.set_cookie(SESSION, torii_token, **cookie(request))
        reply.delete_cookie(STATE, path="/signed-in")
        return reply

    @app.post("/sign-out")
    async def sign_out() -> Response:
        reply = RedirectResponse("/", 303)
        reply.delete_cookie(SESSION)
        return reply

    return app


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
