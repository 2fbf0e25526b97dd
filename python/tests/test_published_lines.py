"""The Python lines of the published README, as they are printed there, and what each puts on the wire.

They run twice: against a server that writes down the bytes, and against the local torii.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.web import TestClient
from torii_backend import create_torii_client

if TYPE_CHECKING:
    from support.emulator import Emulator
    from support.recorder import Recorder

VERIFY = """
from torii_backend import verify_token
auth = verify_token(token, issuer="https://acme.torii.so")
print(auth.user_id, auth.environment_id, auth.email_verified)
"""

CLIENT = """
import os
from torii_backend import create_torii_client
torii = create_torii_client(secret_key=os.environ["TORII_SECRET_KEY"])
user = torii.users.get(user_id)
"""

FASTAPI = """
from fastapi import Depends, FastAPI
from torii_backend.fastapi import require_auth

app = FastAPI()
auth_dep = require_auth(issuer="https://acme.torii.so")

@app.get("/me")
def me(auth = Depends(auth_dep)):
    return {"user_id": auth.user_id}
"""

USERS_AND_SESSIONS = """
page = torii.users.list(limit=50)
user = torii.users.create(email="x@y.com")
torii.users.ban(user.id)
sessions = torii.sessions.list_for_user(user.id)
torii.sessions.revoke_all_for_user(user.id)
"""

UPDATE = """
torii.users.update(
    user_id,
    name="Ada",       # → server updates name
    phone=None,       # → server clears phone (sent as JSON null)
    # address not passed → server leaves alone
)
"""

UPDATE_WITH_A_MODEL = """
from torii_backend import ToriiUpdateUserInput
patch = ToriiUpdateUserInput(name="Ada", phone=None)
torii.users.update(user_id, patch)
"""

ID = "01931a73-8b00-7000-8000-000000000001"
USER = {
    "id": ID,
    "environmentId": "01931a73-8b00-7000-8000-0000000000e1",
    "name": "Ada",
    "firstName": "Ada",
    "lastName": None,
    "locale": None,
    "status": "active",
    "createdAt": "2026-01-01T00:00:00Z",
    "updatedAt": "2026-01-01T00:00:00Z",
    "email": "x@y.com",
    "emailVerifiedAt": None,
    "deletedAt": None,
    "publicMetadata": {},
    "privateMetadata": {},
    "unsafeMetadata": {},
}
PAGE = {"items": [USER], "nextCursor": None, "hasMore": False}
USERS = "/api/server/v1/users"


def run(lines: str, **names: object) -> dict[str, Any]:
    """Runs lines as they stand, but for the issuer, with `names` there already."""
    issuer = names.pop("issuer", "https://acme.torii.so")
    exec(lines.replace('"https://acme.torii.so"', repr(issuer)), names)
    return names


def sent(recorder: Recorder) -> list[tuple[str, str, bytes]]:
    return [(request.method, request.path, request.body) for request in recorder.requests]


def recorded(recorder: Recorder, lines: str, *replies: object) -> tuple[dict[str, Any], list[Any]]:
    """Runs lines with a client of the recorder, which answers them: `None` with 204."""
    for reply in replies:
        recorder.reply(204 if reply is None else 200, reply)
    with create_torii_client(secret_key="sk_test_recorded", api_url=recorder.url) as torii:
        names = run(lines, torii=torii, user_id=ID)
    assert all(request.header("authorization") == "Bearer sk_test_recorded" for request in recorder.requests)
    return names, sent(recorder)


def test_verify(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    user = emulator.create_user(email="x@y.com")
    run(VERIFY, issuer=emulator.issuer, token=emulator.mint(user["id"]))
    assert capsys.readouterr().out == f"{user['id']} {user['environmentId']} False\n"


def test_fastapi(emulator: Emulator) -> None:
    user = emulator.create_user()
    client = TestClient(run(FASTAPI, issuer=emulator.issuer)["app"])
    assert client.get("/me").status_code == 401
    reply = client.get("/me", headers={"Authorization": f"Bearer {emulator.mint(user['id'])}"})
    assert (reply.status_code, reply.json()) == (200, {"user_id": user["id"]})


def test_client(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORII_SECRET_KEY", "sk_test_recorded")
    recorder.reply(200, USER)
    # The lines name no server, so another than torii's can only come from outside them.
    lines = CLIENT.replace('"])', f'"], api_url="{recorder.url}")')
    names = run(lines, user_id=ID)
    names["torii"].close()
    assert str(names["user"].id) == ID
    assert sent(recorder) == [("GET", f"{USERS}/{ID}", b"")]


def test_users_and_sessions(recorder: Recorder) -> None:
    names, requests = recorded(recorder, USERS_AND_SESSIONS, PAGE, USER, USER, [], None)
    assert requests == [
        ("POST", f"{USERS}/search?limit=50", b"{}"),
        ("POST", USERS, b'{"email":"x@y.com"}'),
        ("POST", f"{USERS}/{ID}/ban", b""),
        ("GET", f"{USERS}/{ID}/sessions", b""),
        ("DELETE", f"{USERS}/{ID}/sessions", b""),
    ]
    assert [str(user.id) for user in names["page"].items] == [ID]
    assert names["sessions"] == []


@pytest.mark.parametrize("lines", [UPDATE, UPDATE_WITH_A_MODEL])
def test_update(recorder: Recorder, lines: str) -> None:
    _, requests = recorded(recorder, lines, USER)
    assert requests == [("PATCH", f"{USERS}/{ID}", b'{"name":"Ada","phone":null}')]


def test_the_model_tells_what_was_given() -> None:
    patch = run(UPDATE_WITH_A_MODEL.partition("torii.users")[0])["patch"]
    assert patch.model_fields_set == {"name", "phone"}
    assert patch.model_dump(exclude_unset=True) == {"name": "Ada", "phone": None}


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ('users.update(user_id, name="Ada")', '{"name":"Ada"}'),
        ("users.update(user_id, phone=None)", '{"phone":null}'),
        ("users.update(user_id)", "{}"),
        (
            'users.update(user_id, {"firstName": "Ada", "lastName": None})',
            '{"firstName":"Ada","lastName":null}',
        ),
        ('users.update(user_id, first_name="Ada", last_name=None)', '{"firstName":"Ada","lastName":null}'),
        ('users.update(user_id, {"unsafeMetadata": {"a": None}})', '{"unsafeMetadata":{"a":null}}'),
        ('users.update(user_id, unsafe_metadata={"a": None})', '{"unsafeMetadata":{"a":null}}'),
        ('users.create({"email": "x@y.com"})', '{"email":"x@y.com"}'),
        ('users.create(email="x@y.com", first_name="Ada")', '{"email":"x@y.com","firstName":"Ada"}'),
        ("users.create({})", "{}"),
    ],
)
def test_every_form_of_a_body_is_the_same_bytes(recorder: Recorder, line: str, body: str) -> None:
    _, [(_, _, text)] = recorded(recorder, f"torii.{line}", USER)
    assert text.decode() == body


@pytest.mark.parametrize(
    ("arguments", "query", "body"),
    [
        ("", "", "{}"),
        ("limit=50", "?limit=50", "{}"),
        ("name=None", "", '{"name":null}'),
        ('name="ada", email=None', "", '{"name":"ada"}'),
        ("user_ids=[]", "", '{"userIds":[]}'),
        ("user_ids=[user_id], limit=1, cursor=user_id", f"?limit=1&cursor={ID}", f'{{"userIds":["{ID}"]}}'),
    ],
)
def test_a_filter_is_what_was_passed_and_nothing_else(
    recorder: Recorder, arguments: str, query: str, body: str
) -> None:
    _, [(_, path, text)] = recorded(recorder, f"torii.users.list({arguments})", PAGE)
    assert (path, text.decode()) == (f"{USERS}/search{query}", body)


def test_all_of_it_on_the_local_torii(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORII_SECRET_KEY", emulator.secret_key)
    known = emulator.create_user(name="Known", phone="+4512345678")
    names = run(CLIENT.replace('"])', f'"], api_url="{emulator.api_url}")'), user_id=known["id"])
    assert names["user"].name == "Known"
    run(
        USERS_AND_SESSIONS + UPDATE + UPDATE_WITH_A_MODEL,
        **{name: names[name] for name in ("torii", "user_id")},
    )
    names["torii"].close()
    assert emulator.api("GET", f"/users/{known['id']}")["name"] == "Ada"
    page = emulator.api("POST", "/users/search", {"email": "x@y.com"})
    assert [(user["email"], user["status"]) for user in page["items"]] == [("x@y.com", "banned")]
