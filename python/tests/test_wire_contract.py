"""Every wire case of `contract`: a method of either client in, its request's bytes out, its reply back."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from typing import TYPE_CHECKING, Any, Callable

import pytest
from pydantic import BaseModel
from support.contract import Case, cases, rows
from torii_backend import AsyncToriiClient, ToriiApiError, create_torii_client, models

if TYPE_CHECKING:
    from support.recorder import Recorder

SECRET_KEY = "sk_test_wire"
INPUTS = {
    "users.create": models.ToriiCreateUserInput,
    "users.update": models.ToriiUpdateUserInput,
    "users.update_metadata": models.ToriiUpdateUserMetadataInput,
    "organizations.update_metadata": models.ToriiUpdateMetadataInput,
    "organizations.update_member_metadata": models.ToriiUpdateMetadataInput,
    "invitations.create": models.ToriiCreateInvitationInput,
    "invitations.update_metadata": models.ToriiUpdateMetadataInput,
    "impersonation.create_token": models.ToriiCreateImpersonationTokenInput,
}


def forms(case: Case) -> dict[str, tuple[list[Any], dict[str, Any]]]:
    """The arguments of the method, in each form that it takes them in."""
    page = {name: case.args[name] for name in ("limit", "cursor") if name in case.args}
    ids = [value for name, value in case.args.items() if name.endswith("Id")]
    rest = [value for name, value in case.args.items() if name not in page and not name.endswith("Id")]
    assert len(rest) <= 1, f"{case.operation} takes more than ids, a page and one other thing"
    if not rest:
        return {"ids": (ids, page)}
    (body,) = rest
    if isinstance(body, list):
        return {"list": ([body], {}), "keyword": ([], {"origins": body})}
    keywords = {snake(name): value for name, value in body.items()}
    if "filter" in case.args:
        return {"keywords": (ids, {**keywords, **page})}
    kind = INPUTS[case.operation]
    return {
        "keywords": (ids, keywords),
        "snake_case": ([*ids, keywords], {}),
        "camelCase": ([*ids, body], {}),
        "model": ([*ids, kind(**keywords)], {}),
        "model of camelCase": ([*ids, kind.model_validate(body)], {}),
        "body by name": (ids, {"body": body}),
    }


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def call(url: str, operation: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    with create_torii_client(secret_key=SECRET_KEY, api_url=url) as torii:
        return method(torii, operation)(*args, **kwargs)


def call_async(url: str, operation: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    async def main() -> Any:
        async with AsyncToriiClient(secret_key=SECRET_KEY, api_url=url) as torii:
            return await method(torii, operation)(*args, **kwargs)

    return asyncio.run(main())


def method(torii: Any, operation: str) -> Callable[..., Any]:
    group, _, name = operation.partition(".")
    return getattr(getattr(torii, group), name)


@pytest.mark.parametrize("call", [call, call_async], ids=["sync", "async"])
@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.operation}: {case.behaviour}")
def test_a_method_sends_exactly_the_bytes_of_its_wire_case(
    recorder: Recorder, case: Case, call: Callable[..., Any]
) -> None:
    for form, (args, kwargs) in forms(case).items():
        answer(recorder, case)
        if case.error is None:
            came = call(recorder.url, case.operation, args, kwargs)
            assert document(came) == (case.reply or {}).get("body"), form
            assert unknown(came) == [], "the models lack members that torii has"
        else:
            with pytest.raises(ToriiApiError) as refused:
                call(recorder.url, case.operation, args, kwargs)
            error = refused.value
            assert (error.status, error.code) == (case.error["status"], case.error["code"])
            assert (error.support_id, error.operation) == ("sup_1", case.operation)
            assert case.error.get("members", {}).items() <= error.body.items()
        check(recorder, case, form)


def answer(recorder: Recorder, case: Case) -> None:
    if case.error is None:
        assert case.reply
        recorder.reply(case.reply["status"], case.reply.get("body"))
        return
    problem = {"type": "about:blank", "title": "No", "status": case.error["status"], "supportId": "sup_1"}
    problem.update({"code": case.error["code"], **case.error.get("members", {})})
    recorder.reply(case.error["status"], problem, content_type="application/problem+json")


def check(recorder: Recorder, case: Case, form: str) -> None:
    request = recorder.take()
    body = case.request.get("body")
    assert (request.method, request.path) == (case.request["method"], case.request["path"]), form
    assert request.body.decode() == (body or ""), form
    assert request.header("authorization") == f"Bearer {SECRET_KEY}"
    assert request.header("content-type") == (None if body is None else "application/json"), form


def document(came: Any) -> Any:
    if isinstance(came, list):
        return [document(each) for each in came]
    return json.loads(came.to_json()) if isinstance(came, BaseModel) else came


def unknown(came: Any) -> list[str]:
    """What a reply has that its model does not, at any depth."""
    if isinstance(came, list):
        return [name for each in came for name in unknown(each)]
    if not isinstance(came, BaseModel):
        return []
    members = [name for value in vars(came).values() for name in unknown(value)]
    return [*(came.model_extra or ()), *members]


def test_every_operation_has_a_wire_case() -> None:
    assert {case.operation for case in cases()} == {row["name"] for row in rows()}


def test_every_method_with_a_body_is_held_against_its_model() -> None:
    with create_torii_client(secret_key=SECRET_KEY) as torii:
        with_body = {
            row["name"]
            for row in rows()
            if "body" in inspect.signature(method(torii, row["name"])).parameters
        }
    assert with_body == set(INPUTS)
