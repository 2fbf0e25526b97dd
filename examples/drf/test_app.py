"""What the application tells whom. `pytest examples/drf`, which signs tokens itself."""

from __future__ import annotations

import os
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from torii_backend import Verifier

ISSUER = os.environ["TORII_ISSUER"] = "https://acme.torii.so"
from app import SESSION, settings
from django.test import Client, override_settings

KEY = ec.generate_private_key(ec.SECP256R1())
ADMINISTRATOR = {"org_id": "organization-1", "org_role": "org:administrator"}


def token(**claims: Any) -> str:
    now = int(time.time())
    standard = {"iss": ISSUER, "sub": "ada", "pid": "environment-1", "iat": now, "exp": now + 300}
    return jwt.encode({**standard, **claims}, KEY, algorithm="ES256", headers={"kid": "test"})


@pytest.fixture
def client() -> Any:
    jwk = {**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "test"}
    verifier = Verifier(ISSUER, cookie=SESSION, jwk=jwk)
    with override_settings(TORII={**settings.TORII, "VERIFIER": verifier}):
        yield Client()


def test_anybody_may_read_the_first_page(client: Any) -> None:
    assert 'href="/sign-in"' in client.get("/").content.decode()


def test_who_signs_in_comes_back_with_a_token(client: Any) -> None:
    assert client.get("/account").status_code == 303
    page = urlsplit(client.get("/sign-in")["Location"])
    assert page.geturl().startswith(f"{ISSUER}/sign-in?")
    (back,) = parse_qs(page.query)["redirect_url"]
    # torii adds the token to the address.
    reply = client.get(f"{back}&torii_token={token()}")
    assert reply["Location"] == "/account"
    assert "ada" in client.get("/account").content.decode()
    assert client.get("/api/me").json() == {"user_id": "ada"}
    client.post("/sign-out")
    assert client.get("/account").status_code == 303


def test_a_link_of_somebody_elses_signs_nobody_in(client: Any) -> None:
    assert client.get(f"/signed-in?state=x&torii_token={token()}").status_code == 400
    client.get("/sign-in")
    assert client.get(f"/signed-in?state=x&torii_token={token()}").status_code == 400
    assert client.get("/account").status_code == 303


def test_only_administrators_see_the_administration(client: Any) -> None:
    client.cookies[SESSION] = token()
    assert client.get("/admin").status_code == 403
    client.cookies[SESSION] = token(**ADMINISTRATOR)
    assert client.get("/admin").status_code == 200
