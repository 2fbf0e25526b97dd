"""Secret keys and tokens show nowhere: not in what prints, not in what is raised, not in what is logged."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import pickle
import pprint
import socket
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pytest
import torii_backend
from support.keys import SigningKey
from support.scenarios import Scenario

if TYPE_CHECKING:
    from support.recorder import Recorder
    from support.standin import StandIn
    from torii_backend.client import ToriiClient

BODY = "5up3r53cr37b0dy0fth3k3y"
SECRET_KEY = f"sk_live_{BODY}"
PASSWORD = "hunter2hunter2"
PACKAGE = str(Path(torii_backend.__file__).parent)


def shown(value: object) -> str:
    """All that can be seen of an object, and of what it holds of this package."""
    texts = [repr(value), str(value), f"{value}", ascii(value), pprint.pformat(value), " ".join(dir(value))]
    for name in dir(value):
        with contextlib.suppress(Exception):
            texts.append(repr(getattr(value, name)))
    for each in vars(value).values() if hasattr(value, "__dict__") else ():
        if type(each).__module__.startswith("torii_backend"):
            texts.append(shown(each))
    return "\n".join(texts)


def told(error: BaseException) -> str:
    """All that an exception tells: itself, its causes, and the variables of this package's frames."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    texts, links = ["".join(line for line in whole.format() if PACKAGE in line)], [error]
    while links:
        link = links.pop()
        texts += [shown(link), *traceback.format_exception_only(type(link), link), pickled(link)]
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if frame.f_code.co_filename.startswith(PACKAGE):
                texts += [repr(frame.f_locals), *map(shown, frame.f_locals.values())]
        links += [each for each in (link.__cause__, link.__context__) if each is not None]
    return "\n".join(texts)


def pickled(value: object) -> str:
    return pickle.dumps(value).decode("latin-1")


def holds_no_secret(text: str, *tokens: str) -> None:
    for secret in (BODY, SECRET_KEY[3:], PASSWORD):
        assert secret not in text
    for token in tokens:
        for part in token.split("."):
            assert part not in text


def objects(url: str, token: str) -> dict[str, Any]:
    """One of each public class that has seen a key or a token."""
    torii = torii_backend.create_torii_client(secret_key=SECRET_KEY, api_url=url)
    async_torii = torii_backend.AsyncToriiClient(secret_key=SECRET_KEY, api_url=url)
    verifier = torii_backend.Verifier(url)
    verifier.verify(token)
    return {
        "client": torii,
        "users": torii.users,
        "pages": torii.users.iterate(limit=1),
        "async client": async_torii,
        "async users": async_torii.users,
        "async pages": async_torii.users.iterate(limit=1),
        "verifier": verifier,
        "auth": verifier.verify(token),
    }


def test_no_object_shows_a_secret(standin: StandIn) -> None:
    token = standin.token()
    for each in objects(standin.url, token).values():
        holds_no_secret(shown(each), token)


def test_clients_show_what_kind_of_key_they_have(standin: StandIn) -> None:
    made = objects(standin.url, standin.token())
    for name in ("client", "async client"):
        assert "sk_live_***" in repr(made[name])


@pytest.mark.parametrize("name", ["client", "users", "pages", "async client", "async users"])
def test_what_holds_a_key_is_neither_pickled_nor_copied(standin: StandIn, name: str) -> None:
    each = objects(standin.url, standin.token())[name]
    for copy_it in (copy.copy, copy.deepcopy, *(lambda it, p=p: pickle.dumps(it, p) for p in range(6))):
        with pytest.raises(TypeError) as refusal:
            copy_it(each)
        holds_no_secret(told(refusal.value))


def refused_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def made(**settings: Any) -> ToriiClient:
    return torii_backend.create_torii_client(**{"secret_key": SECRET_KEY, **settings})


SETTINGS: dict[str, dict[str, Any]] = {
    "password in the url": {"api_url": f"https://ada:{PASSWORD}@api.example"},
    "key in the url": {"api_url": f"https://api.example/?key={SECRET_KEY}"},
    "no url": {"api_url": "::"},
    "plain http": {"api_url": "http://api.example"},
    "line break in the key": {"secret_key": SECRET_KEY + "\nx"},
    "letters in the key": {"secret_key": SECRET_KEY + "\u00e9\ud800"},
    "another kind of key": {"secret_key": f"pk_live_{BODY}"},
    "key in bytes": {"secret_key": SECRET_KEY.encode()},
    "key in a list": {"secret_key": [SECRET_KEY]},
    "unusable time": {"timeout": float("nan")},
}


@pytest.mark.parametrize("wrong", SETTINGS)
def test_a_refused_setting_repeats_no_secret(wrong: str) -> None:
    for make in (made, lambda **given: torii_backend.AsyncToriiClient(**{"secret_key": SECRET_KEY, **given})):
        with pytest.raises(torii_backend.ToriiConfigError) as refusal:
            make(**SETTINGS[wrong])
        holds_no_secret(told(refusal.value))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_a_refused_call_repeats_no_secret(recorder: Recorder, status: int) -> None:
    for _ in range(2 * 4):
        recorder.reply(status, {"title": "no", "code": "no"}, retry_after="0")
    holds_no_secret(failed(recorder.url))


def failed(url: str, **settings: Any) -> str:
    """What is told of a call that fails, made through both clients."""
    call: Callable[[Any], Any] = lambda torii: torii.users.create(email="x@y.com")  # noqa: E731
    with pytest.raises(torii_backend.ToriiApiError) as failure:
        call(made(api_url=url, **settings))

    async def call_async() -> None:
        await call(torii_backend.AsyncToriiClient(secret_key=SECRET_KEY, api_url=url, **settings))

    with pytest.raises(torii_backend.ToriiApiError) as async_failure:
        asyncio.run(call_async())
    return told(failure.value) + told(async_failure.value)


def test_a_call_without_an_answer_repeats_no_secret(standin: StandIn, recorder: Recorder) -> None:
    holds_no_secret(failed(refused_port()))
    standin.hold("api")
    holds_no_secret(failed(standin.url, timeout=0.3))
    for _ in range(2):
        recorder.reply(200, "<html>")
    holds_no_secret(failed(recorder.url))


def test_a_proxys_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = refused_port().replace("//", f"//ada:{PASSWORD}@")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    holds_no_secret(failed("https://api.example", timeout=5))


def test_a_refused_token_is_not_repeated(standin: StandIn) -> None:
    good = standin.token()
    refused = {
        "bad signature": SigningKey(standin.key.kid).token(standin.url),
        "expired": standin.token(exp=1),
        "unknown key": SigningKey("unknown").token(standin.url),
        "another issuer's": standin.token("/other"),
        "claim": standin.token(sub=7),
        "cut": good[:-1],
        "line break": good + "\n",
        "letters": good + "\u00e9\ud800",
        "huge": good * 100,
        "missing part": good.rpartition(".")[0],
    }
    verifier = torii_backend.Verifier(standin.url)
    headers = {name: {"authorization": f"Bearer {token}"} for name, token in refused.items()}
    for name, token in refused.items():
        for verify in (
            lambda token=token: verifier.verify(token),
            lambda token=token: torii_backend.verify_token(token, issuer=standin.url),
            lambda token=token: asyncio.run(verifier.verify_async(token)),
            lambda name=name: verifier.authenticate_request(headers[name]),
            lambda name=name: asyncio.run(verifier.authenticate_request_async(headers[name])),
            lambda token=token: verifier.authenticate_request({"authorization": f"Basic {token}"}),
        ):
            with pytest.raises(torii_backend.ToriiAuthError) as refusal:
                verify()
            holds_no_secret(told(refusal.value), token)


def test_no_log_no_warning_and_no_dump_shows_a_secret(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full"), ("PYTHONASYNCIODEBUG", "1")):
        monkeypatch.setenv(name, value)
    token = standin.token()
    arguments = {"url": standin.url, "token": token, "secret_key": SECRET_KEY}
    with Scenario("talkative", "everything", "-X", "dev", **arguments) as scenario:
        text = scenario.listen()
        assert "DEBUG" in text, "the logs are off"
        assert "scenario.py" in text, "there was no dump"
        holds_no_secret(text, token)
