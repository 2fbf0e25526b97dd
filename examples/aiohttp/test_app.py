"""What the application tells whom: `pytest examples/aiohttp`. It needs no torii, but signs tokens itself."""

import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
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
async def client(anyio_backend: str) -> AsyncIterator[Any]:
    jwk = {**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "test"}
    jar = CookieJar(unsafe=True)
    async with TestClient(TestServer(create_app(ISSUER, jwk=jwk)), cookie_jar=jar) as client:
        yield client


async def test_anybody_may_read_the_first_page(client: Any) -> None:
    assert 'href="/sign-in"' in await text(client, "/")


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(client: Any) -> None:
    assert await location(client, "/account") == "/sign-in"
    page = urlsplit(await location(client, "/sign-in"))
    assert page.geturl().startswith(f"{ISSUER}/sign-in?")
    back = urlsplit(parse_qs(page.query)["redirect_url"][0])
    # torii adds the token to the address.
    assert await location(client, f"{back.path}?{back.query}&torii_token={token()}") == "/account"
    assert "ada" in await text(client, "/account")
    await client.post("/sign-out")
    assert await location(client, "/account") == "/sign-in"


async def test_a_link_of_somebody_elses_signs_nobody_in(client: Any) -> None:
    assert (await client.get(f"/signed-in?state=x&torii_token={token()}")).status == 400
    await location(client, "/sign-in")
    assert (await client.get(f"/signed-in?state=x&torii_token={token()}")).status == 400
    assert await location(client, "/account") == "/sign-in"


async def test_only_administrators_see_the_administration(client: Any) -> None:
    client.session.cookie_jar.update_cookies({"session": token()})
    assert (await client.get("/admin")).status == 403
    client.session.cookie_jar.update_cookies({"session": token(**ADMINISTRATOR)})
    assert await text(client, "/admin") == "Administrators see this."


async def text(client: Any, path: str) -> str:
    return await (await client.get(path)).text()


async def location(client: Any, path: str) -> str:
    return (await client.get(path, allow_redirects=False)).headers["Location"]
