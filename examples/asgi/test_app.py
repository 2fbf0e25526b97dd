"""What the application tells whom: `pytest examples/asgi`. It signs its own tokens."""

import time
from collections.abc import AsyncIterator
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

pytestmark = pytest.mark.anyio


def token(**claims: Any) -> str:
    now = int(time.time())
    standard = {"iss": ISSUER, "sub": "ada", "pid": "environment-1", "iat": now, "exp": now + 300}
    return jwt.encode({**standard, **claims}, KEY, algorithm="ES256", headers={"kid": "test"})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def client(anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    jwk = {**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "test"}
    transport = httpx.ASGITransport(create_app(ISSUER, jwk=jwk))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def test_anybody_may_read_the_first_page(client: httpx.AsyncClient) -> None:
    assert 'href="/sign-in"' in (await client.get("/")).text


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(client: httpx.AsyncClient) -> None:
    assert (await client.get("/account")).headers["Location"] == "/sign-in"
    page = urlsplit((await client.get("/sign-in")).headers["Location"])
    assert page.geturl().startswith(f"{ISSUER}/sign-in?")
    (back,) = parse_qs(page.query)["redirect_url"]
    # torii adds the token to the address.
    reply = await client.get(f"{back}&torii_token={token()}")
    assert reply.headers["Location"] == "/account"
    assert "ada" in (await client.get("/account")).text
    await client.post("/sign-out")
    assert (await client.get("/account")).status_code == 303


async def test_a_link_of_somebody_elses_signs_nobody_in(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/signed-in?state=x&torii_token={token()}")).status_code == 400
    await client.get("/sign-in")
    assert (await client.get(f"/signed-in?state=x&torii_token={token()}")).status_code == 400
    assert (await client.get("/account")).status_code == 303


async def test_only_administrators_see_the_administration(client: httpx.AsyncClient) -> None:
    client.cookies.set("session", token())
    assert (await client.get("/admin")).status_code == 403
    client.cookies.set("session", token(**ADMINISTRATOR))
    assert (await client.get("/admin")).text == "Administrators see this."
