"""A WSGI application without a framework: its README says how to run it."""

from __future__ import annotations

import html
import os
import secrets
from collections.abc import Iterable
from http import HTTPStatus
from http.cookies import SimpleCookie
from socketserver import ThreadingMixIn
from typing import Any, Callable
from urllib.parse import parse_qs, urlencode
from wsgiref.simple_server import WSGIServer, make_server
from wsgiref.util import application_uri

from torii_backend import Require, ToriiAuthError, Verifier
from torii_backend.wsgi import AuthMiddleware, Refusal

SESSION, STATE = "session", "sign-in-state"
# A cookie that scripts cannot read, and that other sites' forms do not send. Over https, add `Secure`.
KEPT, FORGOTTEN = "HttpOnly; SameSite=Lax", "Max-Age=0; HttpOnly; SameSite=Lax"

HOME = """<!doctype html><meta charset="utf-8"><title>Example</title><h1>Example</h1>
<p>Anybody may read this page.</p>
<p><a href="/sign-in">Sign in</a> · <a href="/account">Your account</a></p>"""
ACCOUNT = """<!doctype html><title>Your account</title><h1>Your account</h1>
<p>You are {user}. <a href="/admin">Administration</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>"""

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def create_app(issuer: str, **settings: Any) -> App:
    verifier = Verifier(issuer, cookie=SESSION, **settings)

    def signed_in(app: App, require: Require | None = None) -> App:
        """Protect a page. Who is not signed in is sent to sign in."""
        return AuthMiddleware(app, verifier=verifier, require=require, on_refused=ask_to_sign_in)

    def sign_in(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        state = secrets.token_urlsafe()
        back = f"{application_uri(environ)}signed-in?state={state}"
        page = f"{issuer}/sign-in?{urlencode({'redirect_url': back})}"
        return redirect(start, page, f"{STATE}={state}; Path=/signed-in; {KEPT}")

    def returned(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        query = parse_qs(environ["QUERY_STRING"])
        state = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(STATE)
        # A link of somebody else's must not sign this browser in as them.
        if state is None or query.get("state") != [state.value]:
            return answer(start, "Please sign in again.", 400)
        (token,) = query.get("torii_token", [""])
        try:
            verifier.verify(token)
        except ToriiAuthError as error:
            return answer(start, "Please sign in again.", error.http_status)
        # To an address without the token, which must not stay in the browser's history.
        cookies = f"{SESSION}={token}; Path=/; {KEPT}", f"{STATE}=; Path=/signed-in; {FORGOTTEN}"
        return redirect(start, "/account", *cookies)

    administrator = Require(organization=True, role="org:administrator")
    pages: dict[tuple[str, str], App] = {
        ("GET", "/"): lambda environ, start: answer(start, HOME),
        ("GET", "/account"): signed_in(account),
        ("GET", "/admin"): signed_in(
            lambda environ, start: answer(start, "Administrators see this."), administrator
        ),
        ("GET", "/sign-in"): sign_in,
        ("GET", "/signed-in"): returned,
        ("POST", "/sign-out"): sign_out,
    }

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        page = pages.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return answer(start, "There is no such page.", 404) if page is None else page(environ, start)

    return app


def account(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    return answer(start, ACCOUNT.format(user=html.escape(environ["torii.auth"].user_id)))


def sign_out(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    return redirect(start, "/", f"{SESSION}=; Path=/; {FORGOTTEN}")


def ask_to_sign_in(_: Exception, refusal: Refusal) -> Refusal | None:
    return refusal._replace(status=303, headers={"Location": "/sign-in"}) if refusal.status == 401 else None


def answer(start: Any, page: str, status: int = 200) -> Iterable[bytes]:
    start(f"{status} {HTTPStatus(status).phrase}", [("Content-Type", "text/html; charset=utf-8")])
    return [page.encode()]


def redirect(start: Any, where: str, *cookies: str) -> Iterable[bytes]:
    start("303 See Other", [("Location", where), *(("Set-Cookie", cookie) for cookie in cookies)])
    return []


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    app = create_app(os.environ["TORII_ISSUER"])
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "3000")), app, Server)
    print(f"open http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
