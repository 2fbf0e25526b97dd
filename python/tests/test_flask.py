"""`torii_backend.flask`: what the author of an application can write. The contract has what clients see."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("flask")
from conformance.application import verifier
from conformance.runner import filled
from flask import Blueprint, Flask
from torii_backend import FromPath, Require, ToriiAuth
from torii_backend.errors import ToriiConfigError
from torii_backend.flask import Refused, Torii, current_auth

VALID, ADMIN = ({"Authorization": filled(f"Bearer {{{name}}}")} for name in ("valid", "admin"))


def protected_by(torii: Torii, *, app: Flask, **options: Any) -> Any:
    """Give an application `/me`, and return a client."""

    @app.get("/me")
    @torii.require_auth(**options)
    def me() -> Any:
        return {"user_id": current_auth.user_id}

    return app.test_client()


def test_settings_come_from_the_configuration_and_keywords_count_before_it() -> None:
    app = Flask("app")
    app.config.update(TORII_VERIFIER=verifier(), TORII_SECRET_KEY="sk_test_x", TORII_API_URL="https://x")
    assert protected_by(Torii(app), app=app).get("/me", headers=VALID).status_code == 200
    app = Flask("app")
    app.config["TORII_VERIFIER"] = verifier("outer")
    assert protected_by(Torii(app, verifier=verifier()), app=app).get("/me", headers=VALID).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TORII_ISSUER", "acme"),
        ("TORII_LEEWAY", 301),
        ("TORII_AUDIANCE", "api"),
        ("TORII_REQUIRE", Require()),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: Any) -> None:
    app = Flask("app")
    app.config.update({"TORII_ISSUER": "https://acme.torii.so", name: value})
    with pytest.raises(ToriiConfigError, match=f"(?i){name.replace('TORII_', '')}"):
        Torii(app)


def test_one_extension_serves_applications_with_different_settings() -> None:
    torii = Torii()
    blueprint = Blueprint("shared", __name__)

    @blueprint.get("/me")
    @torii.require_auth()
    def me() -> Any:
        return {"user_id": current_auth.user_id}

    statuses = []
    for name in ("plain", "outer", "plain"):
        app = Flask("app")
        app.config["TORII_VERIFIER"] = verifier(name)
        torii.init_app(app)
        app.register_blueprint(blueprint)
        statuses.append(app.test_client().get("/me", headers=VALID).status_code)
    assert statuses == [200, 401, 200]


def test_a_view_of_an_application_without_the_extension_is_closed() -> None:
    app = Flask("app")
    assert protected_by(Torii(), app=app).get("/me", headers=VALID).status_code == 500


def test_a_blueprint_is_protected_with_those_in_it_and_without_others() -> None:
    app = Flask("app")
    torii = Torii(app, verifier=verifier())
    outer, inner, other = (Blueprint(name, __name__) for name in ("outer", "inner", "other"))
    for blueprint in (outer, inner, other):
        blueprint.add_url_rule(f"/{blueprint.name}", "view", lambda: "in")
    torii.protect(outer, require=Require(role="org:administrator"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.register_blueprint(other)
    client = app.test_client()
    for path in ("/outer", "/inner"):
        assert [client.get(path, headers=each).status_code for each in ({}, VALID, ADMIN)] == [401, 403, 200]
    assert client.get("/other").status_code == 200


def test_a_whole_application_is_protected_with_paths_that_are_not_there() -> None:
    app = Flask("app", static_folder="apps")
    Torii(app, verifier=verifier()).protect(app)
    client = app.test_client()
    for path in ("/nowhere", "/static/asgi.py"):
        assert client.get(path).status_code == 401
    assert client.get("/nowhere", headers=VALID).status_code == 404


def test_a_path_parameter_is_compared_as_the_route_spells_it() -> None:
    app = Flask("app")
    torii = Torii(app, verifier=verifier())

    @app.get("/orgs/<org_id>/<int:number>")
    @torii.require_auth(require=Require(organization=FromPath("org_id")))
    def orders(org_id: str, number: int) -> Any:
        return [org_id, number]

    client = app.test_client()
    assert client.get("/orgs/organization-1/7", headers=ADMIN).json == ["organization-1", 7]
    assert client.get("/orgs/organization-2/7", headers=ADMIN).status_code == 403


def test_a_handler_of_the_applications_own_answers_in_place_of_the_extensions() -> None:
    app = Flask("app")
    client = protected_by(Torii(app, verifier=verifier()), app=app)

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Any:
        return {"error": error.__cause__.code}, 499  # type: ignore[union-attr]

    assert (client.get("/me").status_code, client.get("/me").json) == (499, {"error": "header_missing"})


def test_a_handler_of_all_exceptions_leaves_refusals_alone() -> None:
    app = Flask("app")
    client = protected_by(Torii(app, verifier=verifier()), app=app)
    app.register_error_handler(Exception, lambda _: ("hidden", 200))
    assert client.get("/me").status_code == 401


def test_the_decorator_above_the_route_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("app")
    torii = Torii(app, verifier=verifier())
    blueprint = Blueprint("blueprint", __name__)

    @torii.require_auth()
    @app.get("/above")
    def above() -> str:
        return "in"

    @torii.require_auth()
    @blueprint.get("/in-blueprint")
    async def in_blueprint() -> str:
        return "in"

    app.register_blueprint(blueprint)
    client = app.test_client()
    with caplog.at_level(logging.ERROR, "torii_backend"):
        for path in ("/above", "/in-blueprint"):
            assert [client.get(path, headers=each).status_code for each in ({}, VALID)] == [500, 500]
    assert "require_auth: must stand below the route of above" in caplog.text


def test_a_view_may_be_registered_both_with_and_without_protection() -> None:
    app = Flask("app")
    torii = Torii(app, verifier=verifier())

    def view() -> str:
        return "in"

    app.add_url_rule("/open", "open", view)
    app.add_url_rule("/closed", "closed", torii.require_auth()(view))
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/open", "/closed")] == [200, 401]


def test_the_present_caller_is_a_caller_and_false_where_there_is_none() -> None:
    app = Flask("app")
    torii = Torii(app, verifier=verifier())
    seen: list[Any] = []

    @app.get("/optional")
    @torii.require_auth(optional=True)
    def optional() -> str:
        seen.append((bool(current_auth), isinstance(current_auth, ToriiAuth)))
        return ""

    @app.get("/open")
    def anybody() -> str:
        assert not current_auth
        with pytest.raises(RuntimeError, match="not protected"):
            _ = current_auth.user_id
        return ""

    client = app.test_client()
    # Flask then has one `g` for all requests.
    with app.app_context():
        client.get("/optional", headers=VALID)
        client.get("/optional")
        assert client.get("/open").status_code == 200
    assert seen == [(True, True), (False, False)]


def test_a_preflight_has_no_caller_not_even_that_of_another_protection() -> None:
    app = Flask("app")
    inner, outer = (
        Torii(app, verifier=verifier("outer"), allow_preflight=True),
        Torii(app, verifier=verifier()),
    )

    @app.route("/", methods=["OPTIONS"])
    @outer.require_auth()
    @inner.require_auth()
    def view() -> Any:
        return {"caller": bool(current_auth)}

    preflight = {"Access-Control-Request-Method": "GET"}
    reply = app.test_client().options("/", headers={**VALID, **preflight})
    assert (reply.status_code, reply.json) == (200, {"caller": False})


def test_without_flask_the_import_says_what_to_install() -> None:
    program = "import sys; sys.modules['flask'] = None; import torii_backend.flask"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert 'torii_backend.flask needs Flask: pip install "torii-backend[flask]"' in ran.stderr
