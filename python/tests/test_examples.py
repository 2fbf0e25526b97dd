"""The applications of `examples/`, started as their READMEs say, and used as a browser uses them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx
import pytest
import torii_backend
from support.emulator import REPOSITORY, program

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = sorted(path.parent for path in (REPOSITORY / "examples").glob("*/app.py"))
# What is imported of a framework whose folder has another name.
MODULES = {"asgi": "uvicorn", "drf": "rest_framework", "wsgi": "torii_backend"}
USER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SECONDS = 60
SECRET_KEY = "sk_test_local"


class Application:
    """An example under a local torii of its own, both on ports that the system chooses."""

    def __init__(self, folder: Path) -> None:
        command = [program(), "dev", "--in-memory", "--port", "0", "--json", "--", sys.executable, "app.py"]
        package = str(Path(torii_backend.__file__).parents[1])
        environment = {**os.environ, "PORT": "0", "PYTHONPATH": package, "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        # A process that says nothing must not hold up the tests.
        self._limit = threading.Timer(SECONDS, self._process.kill)
        self._limit.start()
        self.torii, self.url = "", ""
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("{"):
                self.torii = json.loads(line)["apiUrl"]
            if said := re.match(r"open (http://\S+)", line):
                self.url = said[1]
            if self.torii and self.url:
                return
        self.stop()
        raise AssertionError(f"{folder.name} did not say where it is")

    def stop(self) -> None:
        self._limit.cancel()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()

    def control(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {SECRET_KEY}", "X-Torii-Emulator": "1"}
        reply = httpx.post(f"{self.torii}/_emulator/v1{path}", json=body, headers=headers, trust_env=False)
        assert reply.is_success, reply.text
        return reply.json()


class Forms(HTMLParser):
    """The forms of a page: each with its address, its inputs and its buttons by name and value."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str], list[tuple[str, str]]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "form":
            self.found.append((given.get("action", ""), {}, []))
        elif tag == "input" and self.found and given.get("type") == "hidden":
            self.found[-1][1][given["name"]] = given.get("value") or ""
        elif tag == "button" and self.found and "name" in given:
            self.found[-1][2].append((given["name"], given.get("value") or ""))


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda folder: folder.name)
def example(request: pytest.FixtureRequest) -> Path:
    name = request.param.name
    if not find_spec(MODULES.get(name, name)):
        if os.environ.get("TORII_ADAPTERS") == "all":
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")
    return request.param


@pytest.fixture(scope="module")
def application(example: Path) -> Iterator[Application]:
    application = Application(example)
    yield application
    application.stop()


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=SECONDS) as browser:
        yield browser


def sign_in(application: Application, browser: httpx.Client) -> httpx.Response:
    """Follow the first page's link, and press the first button of torii's page, which is Ada's."""
    page = browser.get(application.url)
    assert page.status_code == 200
    link = re.search(r'href="([^"]*sign-in[^"]*)"', page.text)
    assert link, "the first page has no link for signing in"
    page = browser.get(urljoin(str(page.url), link[1]))
    assert str(page.url).startswith(f"{application.torii}/sign-in?")
    action, fields, buttons = Forms(page.text).found[0]
    return browser.post(urljoin(str(page.url), action), data={**fields, **dict(buttons[:1])})


def asks_to_sign_in(application: Application, page: httpx.Response) -> bool:
    return str(page.url).startswith(f"{application.torii}/sign-in?")


def test_a_page_that_is_protected_asks_to_sign_in(application: Application, browser: httpx.Client) -> None:
    for path in ("account", "admin"):
        page = browser.get(f"{application.url}{path}")
        assert asks_to_sign_in(application, page), path


def test_who_signs_in_comes_back_and_stays_signed_in_until_signing_out(
    application: Application, browser: httpx.Client
) -> None:
    page = sign_in(application, browser)
    assert (page.status_code, str(page.url)) == (200, f"{application.url}account")
    account = browser.get(f"{application.url}account")
    assert len(set(USER.findall(account.text))) == 1
    assert browser.get(f"{application.url}admin").status_code == 403
    # Django's form has a token of its own.
    action, fields, _ = Forms(account.text).found[0]
    browser.post(urljoin(str(account.url), action), data=fields, headers={"Referer": str(account.url)})
    assert asks_to_sign_in(application, browser.get(f"{application.url}account"))


def test_the_cookie_is_one_that_scripts_and_other_sites_cannot_use(
    application: Application, browser: httpx.Client
) -> None:
    page = sign_in(application, browser)
    set_cookies = [each for reply in page.history for each in reply.headers.get_list("set-cookie")]
    (session,) = [each.lower() for each in set_cookies if each.startswith("session=ey")]
    assert "httponly" in session
    assert "samesite=lax" in session
    # The token stays in no address that the browser keeps.
    assert "torii_token" not in str(page.url)
    assert browser.cookies.get("session")


def test_an_administrator_is_let_in_and_a_bad_token_is_not(
    application: Application, browser: httpx.Client
) -> None:
    sign_in(application, browser)
    (user,) = set(USER.findall(browser.get(f"{application.url}account").text))
    organization = application.control("/organizations", {"name": "Acme", "slug": os.urandom(4).hex()})["id"]
    application.control(
        f"/organizations/{organization}/members", {"userId": user, "role": "org:administrator"}
    )
    token = application.control("/tokens", {"userId": user, "organizationId": organization})["token"]
    admin = f"{application.url}admin"
    assert httpx.get(admin, cookies={"session": token}, trust_env=False).status_code == 200
    refused = httpx.get(admin, cookies={"session": token[:-8] + "AAAAAAAA"}, trust_env=False)
    assert refused.status_code in (302, 303)


def test_its_own_tests_pass(example: Path) -> None:
    package = str(Path(torii_backend.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": package, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(example)]
    ran = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_its_readme_starts_it_with_one_command(example: Path) -> None:
    readme = (example / "README.md").read_text()
    command = rf"cargo run -p torii-cli -- dev (--in-memory )?-- python examples/{example.name}/app\.py"
    assert re.search(command, readme)


def test_there_is_one_to_each_asynchronous_framework() -> None:
    assert {"aiohttp", "fastapi", "litestar", "starlette"} <= {folder.name for folder in EXAMPLES}
