"""The blocks of `docs/recipes.md`, run as printed, over HTTP or as Lambda calls them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import sys
import threading
import types
from typing import TYPE_CHECKING, Any, Callable
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
from conformance import servers
from support.emulator import REPOSITORY
from support.standin import USER, Fault, StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    Ask = Callable[..., "Answer"]

PAGE = (REPOSITORY / "docs/recipes.md").read_text()
BLOCKS = dict(re.findall(r"^<!-- recipe: (\w+) -->\n```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
FRAMEWORKS = {
    "strawberry": "strawberry",
    "sanic": "sanic",
    "falcon_asgi": "falcon",
    "falcon_wsgi": "falcon",
    "mangum": "mangum",
}
_numbers = itertools.count()
# The last release of Strawberry for Python 3.9 imports a package by a name that this calls old.
pytestmark = pytest.mark.filterwarnings("ignore:The 'lia' package has been renamed:DeprecationWarning")
ORGANIZATION = {"org_id": "organization-1", "org_role": "org:administrator"}


class Answer:
    """An answer whose headers' names are in small letters."""

    def __init__(self, status: int, headers: Any, body: str) -> None:
        self.status, self.body = status, json.loads(body)
        self.headers = {name.lower(): value for name, value in dict(headers).items()}


def recipe(name: str, issuer: str) -> types.SimpleNamespace:
    """What the block defines, with another issuer."""
    pytest.importorskip(FRAMEWORKS[name])
    code = BLOCKS[name].replace("https://acme.torii.so", issuer)
    # sanic wants a name of its own for each application of a process.
    code = code.replace('Sanic("example")', f'Sanic("example-{next(_numbers)}")')
    # strawberry looks up annotations in the module.
    module = types.ModuleType("recipe")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "recipe", module)
        # Else sanic rewrites classes of its own at the start, which it can do once in a process.
        patch.setenv("SANIC_TOUCHUP", "False")
        exec(compile(code, f"docs/recipes.md: {name}", "exec"), vars(module))
    return types.SimpleNamespace(**vars(module))


@contextlib.contextmanager
def served(name: str, issuer: str) -> Iterator[Ask]:
    if name == "mangum":
        with event_loop():
            handler = recipe(name, issuer).handler
            yield lambda path, token=None: invoke(handler, path, token)
        return
    made = recipe(name, issuer)
    # sanic's own server starts processes; on ASGI it runs the same handlers.
    lifespan = "on" if name == "sanic" else "off"
    server = wsgi(made.app) if name == "falcon_wsgi" else servers.uvicorn(made.app, lifespan=lifespan)
    with server as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

        def ask(path: str, token: str | None = None) -> Answer:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            if name == "strawberry":
                reply = client.post("/", json={"query": f"{{ {path[1:]} }}"}, headers=headers)
            else:
                reply = client.get(path, headers=headers)
            return Answer(reply.status_code, reply.headers, reply.text)

        yield ask


@contextlib.contextmanager
def wsgi(app: Any) -> Iterator[int]:
    class Silent(WSGIRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Says nothing."""

    with make_server("127.0.0.1", 0, app, handler_class=Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def event_loop() -> Iterator[None]:
    """A loop such as Lambda's runtime has for mangum."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def invoke(handler: Any, path: str, token: str | None) -> Answer:
    """Call a Lambda function as API Gateway does (format 2.0)."""
    headers = {"host": "app.example", **({} if token is None else {"authorization": f"Bearer {token}"})}
    http = {"method": "GET", "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"}
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": http, "stage": "$default"},
        "isBase64Encoded": False,
    }
    answer = handler(event, None)
    return Answer(answer["statusCode"], answer["headers"], answer["body"])


@pytest.mark.parametrize("name", BLOCKS)
def test_a_recipe_lets_in_whom_it_says_and_nobody_else(name: str, standin: StandIn) -> None:
    admin = standin.token(**ORGANIZATION)
    with served(name, standin.url) as ask:
        for token, challenge, code in (
            (None, "Bearer", "authentication_failed"),
            ("x", 'Bearer error="invalid_token"', "authentication_failed"),
            (standin.token(exp=1), 'Bearer error="invalid_token"', "expired"),
        ):
            for path in ("/me", "/admin"):
                answer = ask(path, token)
                assert (answer.status, answer.headers.get("www-authenticate")) == (401, challenge), path
                assert (answer.body["code"], answer.headers["cache-control"]) == (code, "no-store")
        for path, token in (("/me", standin.token()), ("/me", admin), ("/admin", admin)):
            answer = ask(path, token)
            assert (answer.status, USER in json.dumps(answer.body)) == (200, True), path
        denied = ask("/admin", standin.token())
        assert USER not in json.dumps(denied.body)
        # GraphQL has its errors in the answer.
        assert denied.status == (200 if name == "strawberry" else 403)
        assert name != "strawberry" or denied.body["errors"][0]["message"] == "Permission denied."


@pytest.mark.parametrize("name", BLOCKS)
def test_keys_that_cannot_be_had_are_a_503(name: str, standin: StandIn) -> None:
    standin.fault("keys", Fault(retry_after=7))
    with served(name, standin.url) as ask:
        answer = ask("/me", standin.token())
    assert (answer.status, answer.body["code"]) == (503, "keys_unavailable")
    assert 1 <= int(answer.headers["retry-after"]) <= 7


def test_every_block_of_the_page_is_run() -> None:
    assert PAGE.count("```python") == len(BLOCKS)
    assert BLOCKS.keys() == FRAMEWORKS.keys()
