"""The client for threads: its settings, what its methods make of their arguments, and their examples."""

from __future__ import annotations

import doctest
import inspect
import ssl
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import torii_backend
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.documents import page, user
from support.standin import USER, StandIn, eventually
from torii_backend import AsyncToriiClient, ToriiClient, create_torii_client, models
from torii_backend.errors import ToriiConfigError, ToriiRequestError, ToriiTransportError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Callable

    from support.emulator import Emulator
    from support.recorder import Recorder

SECRET_KEY = "sk_test_client"
ORIGINS = {"origins": []}


@pytest.fixture
def torii(recorder: Recorder) -> Iterator[ToriiClient]:
    with create_torii_client(secret_key=SECRET_KEY, api_url=recorder.url) as torii:
        yield torii


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("secret_key", ""),
        ("secret_key", "pk_test_publishable"),
        ("secret_key", None),
        ("api_url", "http://api.example"),
        ("api_url", "api.example"),
        ("api_url", 7),
        ("timeout", 0),
        ("timeout", -1),
        ("timeout", float("nan")),
        ("timeout", "5"),
        ("timeout", None),
        ("attempt_timeout", True),
        ("connect_timeout", float("inf")),
        ("allow_insecure_http", "no"),
        ("user_agent_suffix", "two\r\nlines"),
        ("proxy", "socks5://127.0.0.1:1"),
        ("proxy", "no proxy"),
        ("proxy", 7),
        ("ca_file", "/no/such/file.pem"),
        ("ca_file", __file__),
        ("ca_file", 7),
        ("max_idle_connections", -1),
        ("max_idle_connections", "many"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(setting: str, value: Any) -> None:
    with pytest.raises(ToriiConfigError, match=f"^{setting}: ") as refused:
        create_torii_client(**{"secret_key": SECRET_KEY, setting: value})
    assert isinstance(refused.value, ValueError)


def test_settings_are_keywords() -> None:
    with pytest.raises(TypeError):
        create_torii_client(SECRET_KEY)  # type: ignore[misc]


@pytest.mark.parametrize(
    "make", [create_torii_client, ToriiClient, ToriiClient.from_env, AsyncToriiClient.from_env]
)
def test_without_a_key_the_environment_has_it(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORII_API_URL", raising=False)
    for missing in (None, ""):
        monkeypatch.delenv("TORII_SECRET_KEY", raising=False)
        if missing is not None:
            monkeypatch.setenv("TORII_SECRET_KEY", missing)
        with pytest.raises(ToriiConfigError, match=r"^secret_key: .*TORII_SECRET_KEY"):
            make()
    monkeypatch.setenv("TORII_SECRET_KEY", "sk_live_x")
    assert repr(make()).endswith("Client(secret_key='sk_live_***', api_url='https://api.torii.so')")
    monkeypatch.setenv("TORII_API_URL", "http://127.0.0.1:1")
    assert "api_url='http://127.0.0.1:1'" in repr(make())
    monkeypatch.setenv("TORII_API_URL", "nowhere")
    with pytest.raises(ToriiConfigError, match=r"^api_url \(TORII_API_URL\): "):
        make()
    # A key that is given goes nowhere but where it is meant to.
    assert "'https://api.torii.so'" in repr(create_torii_client(secret_key=SECRET_KEY))


def test_the_api_is_toriis_unless_another_is_given(recorder: Recorder) -> None:
    for url in (None, ""):
        assert "'https://api.torii.so'" in repr(create_torii_client(secret_key=SECRET_KEY, api_url=url))
    with create_torii_client(secret_key=SECRET_KEY, api_url=recorder.url + "/prefix/") as torii:
        recorder.reply(200, ORIGINS)
        torii.allowed_origins.list()
    assert recorder.take().path == "/prefix/api/server/v1/allowed-origins"


def test_the_user_agent_names_this_package_and_the_application(recorder: Recorder) -> None:
    recorder.reply(200, ORIGINS)
    settings = {"secret_key": SECRET_KEY, "api_url": recorder.url}
    create_torii_client(**settings, user_agent_suffix="acme/1.2").allowed_origins.list()
    agent = recorder.take().header("user-agent")
    assert agent
    assert agent.endswith(f" torii-backend-python/{torii_backend.__version__} acme/1.2")


def test_a_proxy_is_gone_through(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    settings: dict[str, Any] = {"secret_key": SECRET_KEY, "allow_insecure_http": True}
    recorder.reply(200, ORIGINS)
    proxied = create_torii_client(**settings, api_url="http://api.example", proxy=recorder.url)
    assert proxied.allowed_origins.list() is not None
    assert recorder.take().path == "http://api.example/api/server/v1/allowed-origins"
    direct = create_torii_client(**settings, api_url="http://nowhere.invalid", proxy="")
    with pytest.raises(ToriiTransportError, match=r"^(?!.*proxy)"):
        direct.allowed_origins.list(retries=False)


def certified(folder: Path) -> Path:
    """A key and a certificate of `localhost` that it has signed itself, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(timezone.utc)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(names, critical=not name)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "localhost.pem"
    file.write_bytes(private + certificate.public_bytes(pem))
    return file


def test_servers_are_trusted_by_a_file_of_certificates(recorder: Recorder, tmp_path: Path) -> None:
    file = certified(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    recorder.socket = context.wrap_socket(recorder.socket, server_side=True)
    settings: dict[str, Any] = {
        "secret_key": SECRET_KEY,
        "api_url": f"https://localhost:{recorder.server_port}",
    }
    with pytest.raises(ToriiTransportError, match="certificate"):
        create_torii_client(**settings).allowed_origins.list(retries=False)
    recorder.reply(200, ORIGINS)
    with create_torii_client(**settings, ca_file=file, max_idle_connections=0) as torii:
        assert torii.allowed_origins.list().origins == []


def test_a_client_that_was_closed_opens_new_connections(standin: StandIn) -> None:
    torii = create_torii_client(secret_key=SECRET_KEY, api_url=standin.url)
    for _ in range(2):
        assert str(torii.users.get(USER).id) == USER
        assert standin.connections == 1
        torii.close()
        eventually(lambda: standin.connections == 0)
    assert len({request.peer for request in standin.requests}) == 2


def test_ids_are_text_or_uuids(recorder: Recorder, torii: ToriiClient) -> None:
    plain = USER.replace("-", "")
    for user_id in (USER, UUID(USER), USER.upper(), plain, f"{{{USER}}}", f"urn:uuid:{USER}", f"{{{plain}}}"):
        recorder.reply(200, user(1))
        assert str(torii.users.get(user_id).id) == user(1)["id"]
        assert recorder.take().path == f"/api/server/v1/users/{USER}"


@pytest.mark.parametrize(
    "user_id",
    ["", "me", "../" + USER, USER[:-1], USER + "/..", "+" + USER[1:], "%2e%2e", 7, None, b"id", "\ud800"],
)
def test_what_is_no_id_is_not_sent(recorder: Recorder, torii: ToriiClient, user_id: Any) -> None:
    with pytest.raises(ToriiRequestError, match=r"^users.get: the user id is not a UUID$") as refused:
        torii.users.get(user_id)
    assert isinstance(refused.value, ValueError)
    assert (refused.value.status, refused.value.operation, recorder.requests) == (0, "users.get", [])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.users.update(USER, nmae="Ada"), "nmae: Extra inputs"),
        (lambda t: t.users.update(USER, {"nmae": "Ada"}), "nmae: Extra inputs"),
        (lambda t: t.users.update(USER, name=7), "name: Input should be a valid string"),
        (lambda t: t.users.update(USER, "Ada"), "body: Input should be"),
        (lambda t: t.users.update(USER, models.ToriiCreateUserInput()), "body: Input should be"),
        (lambda t: t.users.update(USER, unsafe_metadata=None), "unsafe_metadata: .* leave it out"),
        (lambda t: t.invitations.create(), "email: Field required"),
        (lambda t: t.invitations.create(email="x@y.com", private_metadata=None), "private_metadata"),
        (lambda t: t.users.list(user_ids=["me"]), r"user_ids\.0: Input should be a valid UUID"),
        (lambda t: t.users.list(statuses="active"), "statuses: Input should be a valid list"),
        (lambda t: t.users.list(created_after=datetime(2026, 1, 1)), "timezone"),
        (lambda t: t.users.list(limit=-1), "limit must be"),
        (lambda t: t.users.list(limit="all"), "limit must be"),
        (lambda t: t.users.get(USER, timeout=0), "timeout must be"),
        (lambda t: t.users.get(USER, attempt_timeout="long"), "attempt_timeout must be"),
        (lambda t: t.users.get(USER, timeout=True), "timeout must be"),
        (lambda t: t.users.get(USER, retries=3), "retries must be True or False"),
        (lambda t: t.users.get(USER, retries=0), "retries must be True or False"),
        (lambda t: t.users.create(email="x@y.com", retries="no"), "retries must be True or False"),
        (lambda t: t.users.get(USER, retry=3), "retry is no argument of this method"),
        (lambda t: t.users.list(nmae="Ada"), "nmae"),
        (lambda t: t.organizations.list_members(USER, nmae="Ada"), "nmae is no argument"),
        (lambda t: t.invitations.create(email="x@y.com", expires_in_days=2**31), "expires_in_days: Input"),
        (
            lambda t: t.users.list(created_before=datetime.max.replace(tzinfo=timezone.utc)),
            "created_before: Input should be less",
        ),
        (lambda t: t.allowed_origins.set("https://app.example.com"), "body: Input should be a valid list"),
    ],
)
def test_arguments_that_cannot_be_sent_are_named(
    recorder: Recorder, torii: ToriiClient, call: Callable[[ToriiClient], object], message: str
) -> None:
    with pytest.raises(ToriiRequestError, match=r"^[a-z_]+\.[a-z_]+: .*" + message):
        call(torii)
    assert recorder.requests == []


def test_a_body_is_given_once(recorder: Recorder, torii: ToriiClient) -> None:
    for body in ({}, {"name": "Ada"}, models.ToriiUpdateUserInput()):
        problem = r"users.update: takes a body or keywords \(phone\), not both"
        with pytest.raises(ToriiRequestError, match=problem):
            torii.users.update(USER, body, phone=None)
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (lambda t: t.users.create(), "{}"),
        (lambda t: t.users.create(email=None), "{}"),
        (lambda t: t.users.create(public_metadata=None), "{}"),
        (
            lambda t: t.users.create(
                models.ToriiCreateUserInput(**models.ToriiCreateUserInput().model_dump())
            ),
            "{}",
        ),
        (
            lambda t: t.users.update(USER, date_of_birth=datetime(1815, 12, 10).date()),
            '{"dateOfBirth":"1815-12-10"}',
        ),
        (lambda t: t.users.update(USER, locale="eo"), '{"locale":"eo"}'),
        (
            lambda t: t.users.update(USER, {"first_name": "A", "lastName": None}),
            '{"firstName":"A","lastName":null}',
        ),
        (
            lambda t: t.users.update_metadata(
                USER, private_metadata={"at": datetime(2026, 1, 1), "id": UUID(USER)}
            ),
            f'{{"privateMetadata":{{"at":"2026-01-01T00:00:00","id":"{USER}"}}}}',
        ),
        (
            lambda t: t.users.list(created_after=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))),
            '{"createdAfter":"2025-12-31T23:00:00Z"}',
        ),
        (lambda t: t.users.list(statuses=("active",), email=""), '{"email":"","statuses":["active"]}'),
        (lambda t: t.users.list(**dict.fromkeys(("email", "user_ids", "statuses", "organization_id"))), "{}"),
    ],
)
def test_a_body_is_what_was_given(
    recorder: Recorder, torii: ToriiClient, call: Callable[[ToriiClient], object], body: str
) -> None:
    recorder.reply(200, {**page(), **user(1)})
    call(torii)
    assert recorder.take().body.decode() == body


def test_an_invitation_has_bags_in_every_form(recorder: Recorder, torii: ToriiClient) -> None:
    invitation = {**user(1), "email": "x@y.com", "status": "PENDING", "expiresAt": "2026-01-01T00:00:00Z"}
    model = models.ToriiCreateInvitationInput(email="x@y.com")
    for arguments, keywords in (((), {"email": "x@y.com"}), (({"email": "x@y.com"},), {}), ((model,), {})):
        recorder.reply(201, invitation)
        torii.invitations.create(*arguments, **keywords)
        body = recorder.take().body.decode()
        assert body == '{"email":"x@y.com","publicMetadata":{},"privateMetadata":{}}'


def test_threads_share_a_client(standin: StandIn) -> None:
    torii, came = create_torii_client(secret_key=SECRET_KEY, api_url=standin.url), []
    threads = [
        threading.Thread(target=lambda: came.extend(str(torii.users.get(USER).id) for _ in range(20)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert came == [USER] * 160


def examples() -> list[Any]:
    torii = create_torii_client(secret_key=SECRET_KEY)
    groups = [group for name, group in vars(torii).items() if not name.startswith("_")]
    return [
        pytest.param(method.__doc__, id=method.__qualname__)
        for group in groups
        for name, method in inspect.getmembers(group, inspect.ismethod)
        if not name.startswith("_")
    ]


@pytest.mark.parametrize("docstring", examples())
def test_the_examples_of_the_methods_run(emulator: Emulator, docstring: str) -> None:
    ada = emulator.create_user(email="ada@example.com", firstName="Ada")["id"]
    acme = emulator.control("POST", "/organizations", {"name": "Acme", "slug": "acme"})["id"]
    emulator.control("POST", f"/organizations/{acme}/members", {"userId": ada, "role": "org:administrator"})
    bags = {"publicMetadata": {}, "privateMetadata": {}}
    invitation = emulator.api("POST", "/invitations", {"email": "grace@example.com", **bags})["id"]
    with create_torii_client(secret_key=emulator.secret_key, api_url=emulator.api_url) as torii:
        names = {"torii": torii, "user_id": ada, "organization_id": acme, "invitation_id": invitation}
        test = doctest.DocTestParser().get_doctest(inspect.cleandoc(docstring), names, "example", None, None)
        complaints: list[str] = []
        ran = doctest.DocTestRunner().run(test, out=complaints.append)
    assert ran.attempted >= 1
    assert ran.failed == 0, "".join(complaints)
