"""`verify_token`, `Verifier` and their kin against an issuer on a loopback port."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Callable, get_type_hints
from unittest import mock

import pytest
import torii_backend
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.keys import USER, SigningKey
from support.standin import Fault
from torii_backend import (
    ToriiAuthError,
    ToriiConfigError,
    ToriiKeysUnavailableError,
    ToriiTokenExpiredError,
    Verifier,
    clear_jwks_cache_for_tests,
    verify_token,
    verify_token_async,
)
from torii_backend._testing import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from support.recorder import Recorder
    from support.standin import StandIn

ISSUER = "https://acme.torii.so"
# Where nothing listens.
NOWHERE = "http://127.0.0.1:1"


def refusal(verify: Callable[[], object]) -> ToriiAuthError:
    with pytest.raises(ToriiAuthError) as refused:
        verify()
    return refused.value


def test_keys_are_fetched_once_for_all_calls_whatever_their_settings(standin: StandIn) -> None:
    token = standin.token(aud="api")
    for settings in (
        {"audience": "api"},
        {"audience": ["api", "b"], "leeway": 10},
        {"audience": ("api",), "leeway": 0.0},
    ):
        assert verify_token(token, issuer=standin.url, **settings).user_id == USER
        assert asyncio.run(verify_token_async(token, issuer=standin.url + "/", **settings)).user_id == USER
        assert Verifier(standin.url, **settings).verify(token).user_id == USER
    assert refusal(lambda: verify_token(token, issuer=standin.url)).code == "audience_mismatch"
    assert standin.count("keys") == 1


def test_a_token_may_come_as_bytes(standin: StandIn) -> None:
    verifier, token = Verifier(standin.url), standin.token()
    uses: list[Callable[[Any], object]] = [
        verifier.verify,
        lambda token: asyncio.run(verifier.verify_async(token)),
        lambda token: verify_token(token, issuer=standin.url),
        lambda token: asyncio.run(verify_token_async(token, issuer=standin.url)),
    ]
    for use in uses:
        assert use(token) == use(token.encode())
        for other in (None, 7, b"\xff", "\ud800", bytearray(token, "ascii"), memoryview(token.encode())):
            error = refusal(lambda use=use, other=other: use(other))
            assert str(error) == "malformed: the token is neither a str nor bytes of UTF-8"


def test_keys_are_fetched_anew_after_a_suite_forgets_them(standin: StandIn) -> None:
    verify_token(standin.token(), issuer=standin.url)
    clear_jwks_cache_for_tests()
    verify_token(standin.token(), issuer=standin.url)
    assert standin.count("keys") == 2


def test_settings_that_are_equal_and_not_the_same_are_told_apart(standin: StandIn) -> None:
    class Text(str):
        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return hash(standin.url)

    token = standin.token()
    assert verify_token(token, issuer=standin.url, leeway=1).user_id == USER
    assert refusal(lambda: verify_token(token, issuer=standin.url, leeway=True)).code == "config_error"
    assert refusal(lambda: verify_token(token, issuer=Text(NOWHERE))).code == "issuer_mismatch"
    assert verify_token(token, issuer=Text(standin.url)).user_id == USER


@pytest.mark.parametrize("issuers_slash", ["", "/"])
@pytest.mark.parametrize("tokens_slash", ["", "/"])
def test_a_slash_at_an_issuers_end_matters_only_in_the_token(
    standin: StandIn, issuers_slash: str, tokens_slash: str
) -> None:
    token = standin.token(tokens_slash)
    if tokens_slash and not issuers_slash:
        assert refusal(lambda: verify_token(token, issuer=standin.url)).code == "issuer_mismatch"
    else:
        auth = verify_token(token, issuer=standin.url + issuers_slash)
        assert auth.issuer == standin.url + tokens_slash


def test_an_expired_token_has_an_exception_of_its_own(standin: StandIn) -> None:
    error = refusal(lambda: verify_token(standin.token(iat=1, exp=2), issuer=standin.url))
    assert type(error) is ToriiTokenExpiredError
    assert (error.code, error.http_status, error.retry_after) == ("expired", 401, None)
    assert error.www_authenticate == 'Bearer error="invalid_token"'
    assert standin.count("keys") == 0


def test_keys_that_cannot_be_had_are_no_refusal_of_the_token() -> None:
    token = SigningKey("nobody's").token(NOWHERE)
    for verify in (
        lambda: verify_token(token, issuer=NOWHERE),
        lambda: asyncio.run(verify_token_async(token, issuer=NOWHERE)),
        lambda: Verifier(NOWHERE).warm_up(),
        lambda: asyncio.run(Verifier(NOWHERE).warm_up_async()),
    ):
        error = refusal(verify)
        assert type(error) is ToriiKeysUnavailableError
        assert (error.code, error.http_status, error.www_authenticate) == ("jwks_unavailable", 503, None)
        assert error.retry_after is not None
        assert error.retry_after >= 1
        assert "refused" in str(error).lower()


def test_an_endpoint_that_asks_for_rest_gets_it(standin: StandIn) -> None:
    standin.fault("keys", Fault(retry_after=20))
    error = refusal(lambda: verify_token(standin.token(), issuer=standin.url))
    assert error.retry_after == pytest.approx(20, abs=5)
    refusal(lambda: verify_token(standin.token(), issuer=standin.url))
    assert standin.count("keys") == 1


def test_a_key_that_the_issuer_withdraws_verifies_nothing_more(standin: StandIn) -> None:
    clock = ManualClock(int(time.time()))
    verifier = Verifier(standin.url, clock=clock)
    token = standin.token(exp=int(time.time()) + 10_000)
    assert verifier.verify(token).user_id == USER
    standin.published = [SigningKey("second")]
    clock.advance(4000)
    assert refusal(lambda: verifier.verify(token)).code == "kid_unknown"
    assert refusal(lambda: asyncio.run(verifier.verify_async(token))).code == "kid_unknown"


def test_a_new_key_is_fetched_when_a_token_names_it(standin: StandIn) -> None:
    verify_token(standin.token(), issuer=standin.url)
    second = SigningKey("second")
    standin.published.append(second)
    assert verify_token(second.token(standin.url), issuer=standin.url).user_id == USER
    assert standin.count("keys") == 2


def test_threads_that_come_at_once_share_a_fetch_and_get_their_own_answers(standin: StandIn) -> None:
    standin.fault("keys", Fault(0.1))
    answers: dict[int, list[str]] = {}

    def work(number: int) -> None:
        subjects = [f"user-{number}-{each}" for each in range(20)]
        tokens = [standin.token(sub=subject) for subject in subjects] * 2
        answers[number] = [verify_token(token, issuer=standin.url).user_id for token in tokens]
        assert answers[number] == subjects * 2

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(answers[number]) for number in range(8)] == [40] * 8
    assert standin.count("keys") == 1


def test_coroutines_that_come_at_once_share_a_fetch(standin: StandIn) -> None:
    standin.fault("keys", Fault(0.1))
    tokens = [standin.token(sub=f"user-{each}") for each in range(50)]

    async def all_of_them() -> list[torii_backend.ToriiAuth]:
        return await asyncio.gather(*(verify_token_async(token, issuer=standin.url) for token in tokens))

    assert [auth.user_id for auth in asyncio.run(all_of_them())] == [f"user-{each}" for each in range(50)]
    assert standin.count("keys") == 1


def test_what_needs_no_waiting_is_answered_without_a_turn_of_the_loop(standin: StandIn) -> None:
    verifier = Verifier(standin.url)
    verifier.warm_up()
    for verify in (verifier.verify_async(standin.token()), verifier.warm_up_async()):
        with pytest.raises(StopIteration):
            verify.send(None)


@pytest.mark.parametrize("form", ["text", "bytes", "dict", "jwk", "pem", "file", "jwk file", "pem file"])
def test_keys_that_are_given_need_no_network(form: str, tmp_path: Path) -> None:
    key = SigningKey("key-1")
    jwks = json.dumps({"keys": [key.jwk()]})
    pem = key._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    file = tmp_path / "keys"
    file.write_bytes(
        pem if form == "pem file" else (json.dumps(key.jwk()) if form == "jwk file" else jwks).encode()
    )
    sources: dict[str, dict[str, Any]] = {
        "text": {"jwks": jwks},
        "bytes": {"jwks": jwks.encode()},
        "dict": {"jwks": {"keys": [key.jwk()]}},
        "jwk": {"jwk": key.jwk()},
        "pem": {"public_key": pem},
    }
    verifier = Verifier(ISSUER, **sources.get(form, {"jwks_file": file}))
    assert verifier.verify(key.token(ISSUER)).user_id == USER
    assert refusal(lambda: verifier.verify(SigningKey("key-1").token(ISSUER))).code == "bad_signature"
    assert verifier.status().url is None
    assert verifier.export_keys() is None


def test_what_is_wrong_with_given_keys_names_the_argument(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("{}")
    for name, value in {"jwks": "{}", "jwk": "{}", "public_key": "x", "jwks_file": file}.items():
        error = refusal(lambda name=name, value=value: Verifier(ISSUER, **{name: value}))
        assert type(error) is ToriiConfigError
        assert str(error).startswith(f"{name}: "), error


def test_keys_travel_from_one_process_to_another(standin: StandIn) -> None:
    first = Verifier(standin.url)
    assert first.export_keys() is None
    first.warm_up()
    exported = first.export_keys()
    clear_jwks_cache_for_tests()
    assert exported is not None
    assert Verifier(standin.url, keys=exported).verify(standin.token()).user_id == USER
    assert standin.count("keys") == 1
    assert "another issuer" in str(refusal(lambda: Verifier(ISSUER, keys=exported)))


def test_a_verifier_tells_how_it_is(standin: StandIn) -> None:
    clock = ManualClock(int(time.time()))
    verifier = Verifier(standin.url, clock=clock)
    before = verifier.status()
    assert (before.kids, before.age, before.generation, before.fetches_succeeded) == ((), None, 0, 0)
    verifier.verify(standin.token())
    clock.advance(2)
    refusal(lambda: verifier.verify("x"))
    refusal(lambda: verifier.authenticate_request({}))
    refusal(lambda: asyncio.run(verifier.verify_async(standin.token(sub=None))))
    status = verifier.status()
    assert status.url == standin.url + "/_torii/.well-known/jwks.json"
    assert (status.kids, status.age, status.generation) == (("first",), 2.0, 1)
    assert (status.fetches_succeeded, status.fetches_failed, status.last_error) == (1, 0, None)
    counts = verifier.counts()
    assert counts.accepted == 1
    assert counts.refused == {"malformed": 1, "header_missing": 1, "claim_missing": 1}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"audience": []}, "audience: is an empty list"),
        ({"authorized_parties": "one"}, "authorized_parties: must be a list of str"),
        ({"leeway": float("nan")}, "leeway: must be a number of seconds, 0 or more"),
        ({"leeway": 0.5}, "leeway: must be a whole number of seconds, 0 to 300"),
        ({"header": "a b"}, "header: is not the name of a header"),
        ({"timeout": 31}, "timeout: must be 0.1 to 30 seconds"),
        ({"timeout": True}, "timeout: must be a number of seconds, 0 or more"),
        ({"proxy": "socks5://127.0.0.1:1"}, "proxy: "),
        ({"proxy": 7}, "proxy: must be a str"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file: No such file"),
        ({"ca_file": __file__}, "ca_file: "),
        ({"ca_file": 7}, "ca_file: must be a path"),
        ({"stale_limit": 10**9}, "stale_limit: the stale limit must be at most 604800 seconds"),
        ({"remember_verified": -1}, "remember_verified: must be an int, 0 or more"),
        ({"keys": "{}"}, "keys: is not what `export_keys` returns"),
        ({"jwks": "{}", "jwk": "{}"}, "jwk: cannot be combined with jwks"),
        ({"jwks_file": "/nowhere/keys"}, "jwks_file: cannot be read: No such file"),
        ({"clock": 7}, "clock: must be callable, or have a method `time`"),
        ({"clock": lambda: "noon"}, "clock: must return Unix seconds, an int or a float"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: Any, message: str) -> None:
    error = refusal(lambda: Verifier(ISSUER, **settings))
    assert type(error) is ToriiConfigError
    assert isinstance(error, ValueError)
    assert str(error).startswith(message)
    assert (error.code, error.http_status) == ("config_error", 500)


def test_a_setting_that_does_not_exist_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'isuer'"):
        Verifier(ISSUER, isuer=ISSUER)


def test_there_are_no_webhooks_to_verify() -> None:
    with pytest.raises(NotImplementedError, match="no webhooks yet"):
        torii_backend.verify_webhook(secret="s", headers={}, payload=b"")


def test_functions_and_classes_present_themselves() -> None:
    signature = str(inspect.signature(verify_token))
    assert signature == "(token, *, issuer, audience=None, leeway=30.0)"
    # Python 3.9 knows no signature of a class of the stable ABI.
    if sys.version_info >= (3, 10):
        names = list(inspect.signature(Verifier).parameters)
        assert names[:4] == ["issuer", "audience", "leeway", "authorized_parties"]
    assert {verify_token.__module__, Verifier.__module__} == {"torii_backend.verify"}
    assert repr(Verifier(ISSUER)) == "Verifier('https://acme.torii.so')"
    assert torii_backend.types.ToriiAuth is torii_backend.ToriiAuth
    with pytest.raises(TypeError):
        pickle.dumps(Verifier(ISSUER))


def test_a_verifier_is_an_ordinary_object() -> None:
    key = SigningKey("ordinary")

    class OfTenant(Verifier):
        def __init__(self, issuer: str, tenant: str) -> None:
            super().__init__(issuer, jwks={"keys": [key.jwk()]})
            self.tenant = tenant

    verifier = OfTenant(ISSUER, "acme")
    assert (verifier.tenant, verifier.issuer) == ("acme", ISSUER)
    assert verifier.verify(key.token(ISSUER)).user_id == USER
    assert weakref.ref(verifier)() is verifier
    with mock.patch.object(verifier, "verify", return_value="patched"):
        assert verifier.verify("anything") == "patched"
    assert verifier.verify(key.token(ISSUER)).user_id == USER
    double = mock.create_autospec(Verifier, instance=True)
    double.verify("token")
    double.verify.assert_called_once_with("token")
    with pytest.raises(TypeError, match="cannot be changed"):
        Verifier.__init__(verifier, ISSUER)


def test_a_verifier_that_was_not_initialised_says_so() -> None:
    empty = Verifier.__new__(Verifier)
    for use in (lambda: empty.verify("x"), lambda: empty.issuer, empty.counts, lambda: repr(empty)):
        with pytest.raises(RuntimeError, match=r"Verifier.__init__\(\) was not called"):
            use()


def test_a_verifier_is_made_from_the_environment(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORII_ISSUER", standin.url)
    assert Verifier.from_env().verify(standin.token()).user_id == USER
    monkeypatch.setenv("TORII_AUDIENCE", " api, web ")
    assert Verifier.from_env().verify(standin.token(aud="web")).user_id == USER
    assert refusal(lambda: Verifier.from_env().verify(standin.token())).code == "claim_missing:aud"
    assert Verifier.from_env(audience="cli", leeway=1).verify(standin.token(aud="cli")).user_id == USER
    monkeypatch.setenv("TORII_AUDIENCE", "api,")
    with pytest.raises(ToriiConfigError, match=r"^audience: contains an empty text"):
        Verifier.from_env()
    monkeypatch.setenv("TORII_ISSUER", " ")
    with pytest.raises(ToriiConfigError, match=r"^TORII_ISSUER: is not set"):
        Verifier.from_env()


def test_several_issuers_are_accepted_and_no_other(standin: StandIn) -> None:
    issuers = [standin.url + "/one", standin.url + "/two"]
    verifier = Verifier(issuers)
    for path in ("/one", "/two"):
        assert verifier.verify(standin.token(path)).issuer == standin.url + path
    assert refusal(lambda: verifier.verify(standin.token("/three"))).code == "issuer_mismatch"
    assert verifier.issuer == issuers[0]
    assert repr(verifier) == f"Verifier({issuers!r})"
    assert list(verifier.statuses()) == issuers
    assert verifier.status().url == verifier.statuses()[issuers[0]].url
    assert [status.url for status in verifier.statuses().values()] == [
        issuer + "/_torii/.well-known/jwks.json" for issuer in issuers
    ]


@pytest.mark.parametrize(
    ("issuer", "settings", "message"),
    [
        ([], {}, "issuer: is an empty list"),
        ([ISSUER, ISSUER + "/"], {}, "issuer: is configured twice"),
        ([ISSUER, 7], {}, "issuer: must be a str"),
        ([ISSUER, NOWHERE], {"jwks": "{}"}, "jwks: cannot be combined with several issuers"),
    ],
)
def test_issuers_that_cannot_be_used_are_refused(issuer: Any, settings: Any, message: str) -> None:
    assert str(refusal(lambda: Verifier(issuer, **settings))).startswith(message)


def test_keys_come_through_a_proxy(recorder: Recorder, standin: StandIn) -> None:
    recorder.reply(200, {"keys": [standin.key.jwk()]})
    settings: dict[str, Any] = {"allow_insecure_http": True, "timeout": 1}
    verifier = Verifier("http://issuer.example", proxy=recorder.url, **settings)
    assert verifier.verify(standin.key.token("http://issuer.example")).user_id == USER
    assert recorder.take().path == "http://issuer.example/_torii/.well-known/jwks.json"
    direct = Verifier("http://nowhere.invalid", proxy="", **settings)
    with pytest.raises(ToriiKeysUnavailableError, match=r"^(?!.*proxy)"):
        direct.warm_up()


def test_keys_are_waited_for_as_long_as_the_timeout_says(standin: StandIn) -> None:
    standin.hold("keys")
    started = time.monotonic()
    assert refusal(Verifier(standin.url, timeout=0.2).warm_up).code == "jwks_unavailable"
    assert time.monotonic() - started < 4


@pytest.mark.skipif(sys.version_info < (3, 10), reason="Python 3.9 cannot evaluate `str | None`")
def test_hints_of_types_can_be_evaluated() -> None:
    for function in (
        Verifier.__init__,
        Verifier.from_env,
        Verifier.verify_async,
        Verifier.verify_many_async,
        Verifier.authenticate_request_async,
        verify_token_async,
        torii_backend.authenticate_request_async,
        torii_backend.verify_webhook,
        torii_backend.ToriiAuthError.__init__,
        torii_backend.ToriiApiError.__init__,
    ):
        assert get_type_hints(function)
    assert get_type_hints(verify_token_async)["return"] is torii_backend.ToriiAuth
    assert inspect.signature(Verifier, eval_str=True).parameters["leeway"].annotation is float
