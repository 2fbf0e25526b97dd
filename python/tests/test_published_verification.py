"""What applications' own tests do to `verify_token`: keys on a loopback port, tokens signed with PyJWT."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from support.keys import ENVIRONMENT, USER, SigningKey
from torii_backend import (
    ToriiAuth,
    ToriiAuthError,
    authenticate_request,
    clear_jwks_cache_for_tests,
    verify_token,
    verify_webhook,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.standin import StandIn


@pytest.fixture(autouse=True)
def _no_keys() -> Iterator[None]:
    clear_jwks_cache_for_tests()
    yield
    clear_jwks_cache_for_tests()


def test_a_good_token_gives_its_claims(standin: StandIn) -> None:
    token = standin.token(
        email_verified=True, profile_complete=False, impersonating=True, locale="da", plan="pro"
    )
    auth = verify_token(token, issuer=standin.url)
    assert isinstance(auth, ToriiAuth)
    assert (auth.user_id, auth.environment_id, auth.issuer) == (USER, ENVIRONMENT, standin.url)
    assert (auth.email_verified, auth.profile_complete, auth.impersonating, auth.locale) == (
        True,
        False,
        True,
        "da",
    )
    assert auth.raw == jwt.decode(token, options={"verify_signature": False})
    assert auth.raw["plan"] == "pro"


def test_claims_that_are_absent_have_their_published_defaults(standin: StandIn) -> None:
    auth = verify_token(standin.token(), issuer=standin.url)
    assert (auth.email_verified, auth.profile_complete, auth.impersonating, auth.locale) == (
        False,
        True,
        False,
        None,
    )


def test_an_issuer_with_a_slash_at_its_end_is_the_same(standin: StandIn) -> None:
    assert verify_token(standin.token(), issuer=f"{standin.url}/").user_id == USER


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"pid": None},
        {"iss": None},
        {"iss": "https://evil.torii.so"},
        {"nbf": 2**40},
        {"iat": 2**40},
        {"pid": 7},
    ],
    ids=repr,
)
def test_a_claim_that_is_wrong_refuses_the_token(standin: StandIn, claims: dict[str, Any]) -> None:
    with pytest.raises(ToriiAuthError):
        verify_token(standin.token(**claims), issuer=standin.url)


def test_leeway_is_in_seconds(standin: StandIn) -> None:
    token = standin.token(exp=int(time.time()) - 60)
    assert verify_token(token, issuer=standin.url, leeway=120).user_id == USER
    with pytest.raises(ToriiAuthError):
        verify_token(token, issuer=standin.url, leeway=10.0)


def test_an_audience_is_enforced_when_it_is_given(standin: StandIn) -> None:
    token = standin.token(aud=["api", "web"])
    assert verify_token(token, issuer=standin.url, audience="api").user_id == USER
    assert verify_token(token, issuer=standin.url, audience=["other", "web"]).user_id == USER
    for audience in ("other", ["other"], None):
        with pytest.raises(ToriiAuthError):
            verify_token(token, issuer=standin.url, audience=audience)


def test_only_the_issuers_keys_count(standin: StandIn) -> None:
    forged = SigningKey(standin.key.kid).token(standin.url)
    unknown = SigningKey("unknown").token(standin.url)
    unsigned = jwt.encode({"iss": standin.url, "sub": USER}, None, algorithm="none", headers={"kid": "first"})
    shared = jwt.encode(
        {"iss": standin.url, "sub": USER}, "s" * 32, algorithm="HS256", headers={"kid": "first"}
    )
    head, body, signature = standin.token().split(".")
    for token in (forged, unknown, unsigned, shared, f"{head}.{body}.", f"{head}.{body}x.{signature}"):
        with pytest.raises(ToriiAuthError):
            verify_token(token, issuer=standin.url)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", None, 7, b"a.b.c"], ids=repr)
def test_what_is_no_token_is_refused_without_asking_for_keys(standin: StandIn, token: Any) -> None:
    with pytest.raises(ToriiAuthError):
        verify_token(token, issuer=standin.url)
    assert standin.count("keys") == 0


def test_no_issuer_is_refused(standin: StandIn) -> None:
    with pytest.raises(ToriiAuthError):
        verify_token(standin.token(), issuer="")


def test_keys_are_fetched_once_until_they_are_cleared(standin: StandIn) -> None:
    for _ in range(3):
        verify_token(standin.token(), issuer=standin.url)
    assert standin.count("keys") == 1
    clear_jwks_cache_for_tests()
    verify_token(standin.token(), issuer=standin.url)
    assert standin.count("keys") == 2


def test_a_key_that_is_new_is_fetched(standin: StandIn) -> None:
    verify_token(standin.token(), issuer=standin.url)
    fresh = SigningKey("second")
    standin.published.append(fresh)
    assert verify_token(fresh.token(standin.url), issuer=standin.url).user_id == USER


def test_a_request_is_authenticated_by_its_header(standin: StandIn) -> None:
    token = standin.token()
    for headers in ({"Authorization": f"Bearer {token}"}, {"authorization": f"bearer  {token}"}):
        assert authenticate_request(headers, issuer=standin.url).user_id == USER
    headers = {"X-User": f"Bearer {token}"}
    assert authenticate_request(headers, issuer=standin.url, header="x-user").user_id == USER


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": ""}, {"authorization": "Basic YTpi"}, {"cookie": "a=b"}]
)
def test_a_request_without_a_bearer_token_is_refused(standin: StandIn, headers: dict[str, str]) -> None:
    with pytest.raises(ToriiAuthError):
        authenticate_request(headers, issuer=standin.url)


def test_an_error_has_a_message_and_a_cause(standin: StandIn) -> None:
    with pytest.raises(ToriiAuthError, match="expired") as caught:
        verify_token(standin.token(exp=1), issuer=standin.url)
    assert hasattr(caught.value, "cause")
    made = ToriiAuthError("no", ValueError("why"))
    assert (str(made), repr(made.cause)) == ("no", "ValueError('why')")


def test_webhooks_are_not_there_yet() -> None:
    with pytest.raises(NotImplementedError, match="webhook"):
        verify_webhook(secret="s", headers={}, payload=b"{}")
