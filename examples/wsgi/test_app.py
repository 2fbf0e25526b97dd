"""What the application tells whom. `pytest examples/wsgi`, which signs tokens itself."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from app import create_app
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "https://acme.torii.so"
KEY = ec.generate_private_key(ec.SECP256R1())
ADMINISTRATOR = {"org_id": "organization-1", "org_role": "org:administrator"}


def token(**claims: Any) -> str:
    now = int(time.time())
    standard = {"iss": ISSUER, "sub": "ada", "pid": "environment-1", "iat": now, "exp": now + 300}
    return jwt.encode({**standard, **claims}, KEY, algorithm="ES256", headers={"kid": "test"})


@pytest.fixture
def client() -> Any:
    jwk = {**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "test"}
    app = create_app(ISSUER, jwk=jwk)
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


def test_anybody_may_read_the_first_page(client: httpx.Client) -> None:
    assert 'href="/sign-in"' in client.get("/").text


def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(client: httpx.Client) -> None:
    assert client.get("/account").headers["Location"] == "/sign-in"
    page = urlsplit(client.get("/sign-in").headers["Location"])
    assert page.geturl().startswith(f"{ISSUER}/sign-in?")
    (back,) = parse_qs(page.query)["redirect_url"]
    # torii adds the token to the address.
    reply = client.get(f"{back}&torii_token={token()}")
    assert reply.headers["Location"] == "/account"
    assert "ada" in client.get("/account").text
    client.post("/sign-out")
    assert client.get("/account").status_code == 303


def test_a_link_of_somebody_elses_signs_nobody_in(client: httpx.Client) -> None:
    assert client.get(f"/signed-in?state=x&torii_token={token()}").status_code == 400
    client.get("/sign-in")
    assert client.get(f"/signed-in?state=x&torii_token={token()}").status_code == 400
    assert client.get("/account").status_code == 303


def test_only_administrators_see_the_administration(client: httpx.Client) -> None:
    client.cookies.set("session", token())
    assert client.get("/admin").status_code == 403
    client.cookies.clear()
    client.cookies.set("session", token(**ADMINISTRATOR))
    assert client.get("/admin").text == "Administrators see this."
