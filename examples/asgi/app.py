"""An ASGI application without a framework: its README says how to run it."""

from __future__ import annotations

import html
import os
import secrets
import socket
from http.cookies import SimpleCookie
from typing import Any, Callable
from urllib.parse import parse_qs, urlencode

import uvicorn
from torii_backend import Require, ToriiAuthError, Verifier
from torii_backend.asgi import AuthMiddleware

SESSION, STATE = "session", "sign-in-state"
# A cookie that scripts cannot read, and that other sites' forms do not send. Over https, add `Secure`.
KEPT, FORGOTTEN = "HttpOnly; SameSite=Lax", "Max-Age=0; HttpOnly; SameSite=Lax"

HOME = """<!doctype html><meta charset="utf-8"><title>Example</title><h1>Example</h1>
<p>Anybody may read this page.</p>
<p><a href="/sign-in">Sign in</a> · <a href="/account">Your account</a></p>"""
ACCOUNT = """<!doctype html><title>Your account</title><h1>Your account</h1>
<p>You are {user}. <a href="/admin">Administration</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>"""

App = Callable[[Any, Any, Any], Any]


def create_app(issuer: str, **settings: Any) -> App:
    verifier = Verifier(issuer, cookie=SESSION, **settings)

    def signed_in(app: App, require: Require | None = None) -> App:
        """Protect a page. Who is not signed in is sent to sign in."""
        return AuthMiddleware(app, verifier=verifier, require=require, on_refused=ask_to_sign_in)

    async def sign_in(scope: Any, receive: Any, send: Any) -> None:
        state = secrets.token_urlsafe()
        back = f"{scope['scheme']}://{header(scope, 'host')}/signed-in?state={state}"
        page = f"{issuer}/sign-in?{urlencode({'redirect_url': back})}"
        await redirect(send, page, f"{STATE}={state}; Path=/signed-in; {KEPT}")

    async def returned(scope: Any, receive: Any, send: Any) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        state = SimpleCookie(header(scope, "cookie")).get(STATE)
        # A link of somebody else's must not sign this browser in as them.
        if state is None or query.get("state") != [state.value]:
            return await answer(send, "Please sign in again.", 400)
        token = query.get("torii_token", [""])[0]
        try:
            await verifier.verify_async(token)
        except ToriiAuthError as error:
            return await answer(send, "Please sign in again.", error.http_status)
        # To an address without the token, which must not stay in the browser's history.
        cookies = f"{SESSION}={token}; Path=/; {KEPT}", f"{STATE}=; Path=/signed-in; {FORGOTTEN}"
        return await redirect(send, "/account", *cookies)

    pages: dict[tuple[str, str], App] = {
        ("GET", "/"): home,
        ("GET", "/account"): signed_in(account),
        ("GET", "/admin"): signed_in(admin, Require(organization=True, role="org:administrator")),
        ("GET", "/sign-in"): sign_in,
        ("GET", "/signed-in"): returned,
        ("POST", "/sign-out"): sign_out,
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        page = pages.get((scope["method"], scope["path"]))
        if page is None:
            await answer(send, "There is no such page.", 404)
        else:
            await page(scope, receive, send)

    return app


async def home(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, HOME)


async def account(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, ACCOUNT.format(user=html.escape(scope["state"]["torii"].user_id)))


async def admin(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, "Administrators see this.")


async def sign_out(scope: Any, receive: Any, send: Any) -> None:
    await redirect(send, "/", f"{SESSION}=; Path=/; {FORGOTTEN}")


def ask_to_sign_in(_: Exception, refusal: Any) -> Any:
    """Send the browser to sign in; what else is refused is answered as ever."""
    return refusal._replace(status=303, headers={"Location": "/sign-in"}) if refusal.status == 401 else None


def header(scope: Any, name: str) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name.encode()), "")


async def answer(send: Any, page: str, status: int = 200) -> None:
    await respond(send, status, [("Content-Type", "text/html; charset=utf-8")], page)


async def redirect(send: Any, where: str, *cookies: str) -> None:
    await respond(send, 303, [("Location", where), *(("Set-Cookie", cookie) for cookie in cookies)], "")


async def respond(send: Any, status: int, headers: list[tuple[str, str]], body: str) -> None:
    fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body.encode()})


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "3000")))) as listener:
        print(f"open http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        config = uvicorn.Config(create_app(os.environ["TORII_ISSUER"]), log_level="warning", lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])
