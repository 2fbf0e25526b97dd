"""Flask: a decorator on views, plain and asynchronous ones, and a blueprint that is protected as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, jsonify, request
from flask.views import MethodView
from torii_backend.flask import Torii, current_auth

from conformance import application, servers
from conformance.runner import Adapter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ADAPTER = Adapter(lacks=frozenset({"websocket"}))

app = Flask(__name__)
extensions = {
    name: Torii(verifier=application.verifier(name))
    for name in ("plain", "outer", "cookie", "token-header", "unavailable", "issuers")
}
for extension in extensions.values():
    extension.init_app(app)
torii = extensions["plain"]


def served() -> AbstractContextManager[int]:
    return servers.gunicorn("conformance.apps.flask:app")


def protected(path: str) -> Any:
    options = application.gate(path)
    verifier = options.pop("verifier")
    own = next(each for name, each in extensions.items() if application.verifier(name) is verifier)
    return own.require_auth(**options)


def caller() -> Any:
    return jsonify(application.caller(current_auth))


async def caller_async() -> Any:
    return jsonify(application.caller(current_auth))


for number, path in enumerate(application.ANSWERED_BY_CALLER):
    view = caller_async if number % 2 else caller
    app.add_url_rule(path, path[1:], protected(path)(view))


@app.get("/orgs/<org_id>")
@protected("/orgs")
def organization(org_id: str) -> Any:
    return caller()


@app.get("/issuers")
@protected("/issuers")
def issuers() -> Any:
    return jsonify(application.caller_and_issuer(current_auth))


@app.get("/two")
@extensions["outer"].require_auth()
@torii.require_auth()
def two() -> Any:
    return jsonify(application.caller_and_issuer(current_auth))


@app.get("/optional")
@protected("/optional")
def optional() -> Any:
    return jsonify(user_id=current_auth.user_id if current_auth else None)


@app.get("/claims")
@protected("/claims")
async def claims() -> Any:
    return jsonify(application.plan(current_auth.claims))


@app.get("/public")
def public() -> Any:
    return jsonify(public=True)


class Cors(MethodView):
    def get(self) -> Any:
        return caller()

    def options(self) -> Any:
        return Response(status=204, headers=application.ALLOWED_ORIGIN)


app.add_url_rule("/cors", view_func=protected("/cors")(Cors.as_view("cors")))
app.add_url_rule("/closed", view_func=protected("/closed")(Cors.as_view("closed")))

whole = Blueprint("whole", __name__)
torii.protect(whole)


@whole.post("/upload")
def upload() -> Any:
    return jsonify(user_id=current_auth.user_id, bytes=len(request.get_data()))


@whole.get("/stream")
def stream() -> Any:
    return Response(iter(application.STREAM))


app.register_blueprint(whole)
