"""A web application on Flask: its README says how to run it."""

from __future__ import annotations

import os
import secrets
from typing import Any
from urllib.parse import urlencode

from flask import Flask, redirect, render_template_string, request, url_for
from torii_backend import Require, ToriiAuthError, Verifier
from torii_backend.flask import Refused, Torii, current_auth
from werkzeug.serving import make_server

SESSION, STATE = "session", "sign-in-state"

HOME = """<!doctype html><meta charset="utf-8"><title>Example</title><h1>Example</h1>
<p>Anybody may read this page.</p>
<p><a href="/sign-in">Sign in</a> · <a href="/account">Your account</a></p>"""
ACCOUNT = """<!doctype html><title>Your account</title><h1>Your account</h1>
<p>You are {{ user }}. <a href="/admin">Administration</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>"""


def create_app(issuer: str, **settings: Any) -> Flask:
    app = Flask(__name__)
    # Flask's own cookie has the name of ours unless it is told another one.
    app.config["SESSION_COOKIE_NAME"] = "flask-session"
    verifier = Verifier(issuer, cookie=SESSION, **settings)
    torii = Torii(app, verifier=verifier)

    @app.get("/")
    def home() -> Any:
        return HOME

    @app.get("/account")
    @torii.require_auth()
    def account() -> Any:
        return render_template_string(ACCOUNT, user=current_auth.user_id)

    @app.get("/admin")
    @torii.require_auth(require=Require(organization=True, role="org:administrator"))
    def admin() -> Any:
        return "Administrators see this."

    @app.get("/sign-in")
    def sign_in() -> Any:
        state = secrets.token_urlsafe()
        back = url_for("signed_in", state=state, _external=True)
        reply = redirect(f"{issuer}/sign-in?{urlencode({'redirect_url': back})}", 303)
        reply.set_cookie(STATE, state, path="/signed-in", **cookie())
        return reply

    @app.get("/signed-in")
    def signed_in() -> Any:
        # A link of somebody else's must not sign this browser in as them.
        state = request.cookies.get(STATE)
        if not state or request.args.get("state") != state:
            return "Please sign in again.", 400
        try:
            verifier.verify(request.args.get("torii_token", ""))
        except ToriiAuthError as error:
            return "Please sign in again.", error.http_status
        # To an address without the token, which must not stay in the browser's history.
        reply = redirect(url_for("account"), 303)
        reply.set_cookie(SESSION, request.args["torii_token"], **cookie())
        reply.delete_cookie(STATE, path="/signed-in")
        return reply

    @app.post("/sign-out")
    def sign_out() -> Any:
        reply = redirect(url_for("home"), 303)
        reply.delete_cookie(SESSION)
        return reply

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Any:
        """Send the browser to sign in; all else is answered as the extension would."""
        status, headers, body, _ = error.refusal
        return redirect(url_for("sign_in"), 303) if status == 401 else (body, status, headers)

    def cookie() -> dict[str, Any]:
        """Make a cookie that scripts cannot read, and that other sites' forms do not send."""
        return {"httponly": True, "samesite": "Lax", "secure": request.is_secure}

    return app


if __name__ == "__main__":
    app = create_app(os.environ["TORII_ISSUER"])
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "3000")), app, threaded=True)
    print(f"open http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
