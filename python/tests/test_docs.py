"""Runs the Python examples of the documents and of the docstrings, against the local torii.

A document's example is a `python` block under `<!-- python example: name -->`. It is run as printed, but that
the issuer and the API are the local torii's, and the lines of a `<!-- check` comment below it run after it.
`support/pages.py` says what the shell blocks are run with.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import torii_backend.asgi
import torii_backend.client
import torii_backend.fastapi
import torii_backend.starlette
from support import pages
from support.emulator import REPOSITORY, program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.emulator import Emulator

DOCUMENTS = ["README.md", *(f"docs/{path.name}" for path in sorted((REPOSITORY / "docs").glob("*.md")))]
# Its blocks are applications, which `test_recipes` serves.
DOCUMENTS.remove("docs/recipes.md")
EXAMPLE = re.compile(
    r"^<!-- python example: (?P<name>\w+) -->\n```python\n(?P<code>.*?)^```\n"
    r"(?:<!-- check\n(?P<check>.*?)-->)?",
    re.DOTALL | re.MULTILINE,
)
# The docstrings of the methods for threads are made from those for coroutines.
MODULES = [
    torii_backend,
    torii_backend.asgi,
    torii_backend.client,
    torii_backend.fastapi,
    torii_backend.starlette,
]


class Example(NamedTuple):
    name: str
    code: str


def documented() -> list[Example]:
    found = ((document, EXAMPLE.finditer((REPOSITORY / document).read_text())) for document in DOCUMENTS)
    return [
        Example(f"{document}: {each['name']}", each["code"] + (each["check"] or ""))
        for document, examples in found
        for each in examples
    ]


def docstrings() -> list[Example]:
    """The docstrings of every public function and class, and of the classes' public methods."""
    found: dict[int, Example] = {}
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isroutine(value):
                found.setdefault(id(value), Example(name, inspect.getdoc(value) or ""))
                for member, method in methods(value):
                    found[id(method)] = Example(f"{name}.{member}", inspect.getdoc(method) or "")
    return list(found.values())


def methods(value: object) -> Iterator[tuple[str, Any]]:
    ours = (kind for kind in getattr(value, "__mro__", ()) if kind.__module__.startswith("torii_backend"))
    for kind in ours:
        for name, method in vars(kind).items():
            if not name.startswith("_") and inspect.isroutine(method):
                yield name, method


@pytest.fixture
def names(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the examples take for granted."""
    monkeypatch.setenv("TORII_ISSUER", emulator.issuer)
    monkeypatch.setenv("TORII_API_URL", emulator.api_url)
    monkeypatch.setenv("TORII_SECRET_KEY", emulator.secret_key)
    user = emulator.create_user(email="ada@example.com", firstName="Ada")["id"]
    acme = emulator.control("POST", "/organizations", {"name": "Acme", "slug": "acme"})["id"]
    emulator.control("POST", f"/organizations/{acme}/members", {"userId": user, "role": "org:administrator"})
    bags: dict[str, Any] = {"publicMetadata": {}, "privateMetadata": {}}
    invitation = emulator.api("POST", "/invitations", {"email": "grace@example.com", **bags})["id"]
    token = emulator.mint(user, claims={"plan": "pro"})
    with torii_backend.create_torii_client(secret_key=emulator.secret_key, api_url=emulator.api_url) as torii:
        yield {
            "__name__": "example",
            "headers": {"Authorization": f"Bearer {token}"},
            "invitation_id": invitation,
            "issuer": emulator.issuer,
            "organization_id": acme,
            "token": token,
            "torii": torii,
            "user_id": user,
        }


@pytest.mark.parametrize("example", documented(), ids=lambda example: example.name)
def test_an_example_of_a_document_runs(example: Example, names: dict[str, Any], emulator: Emulator) -> None:
    text, flags = local(example.code, emulator), ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(text, example.name, "exec", flags, dont_inherit=True)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(code, names))
    else:
        exec(code, names)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_block_of_a_document_is_skipped(document: str) -> None:
    text = (REPOSITORY / document).read_text()
    files = [block for block in pages.blocks(REPOSITORY / document) if block.rule == "file"]
    assert len(EXAMPLE.findall(text)) + len(files) == text.count("```python"), "a block has no name"


@pytest.mark.parametrize("document", pages.DOCUMENTS)
def test_each_shell_block_of_a_document_says_whether_it_is_run(document: str) -> None:
    text = (REPOSITORY / document).read_text("utf-8")
    shell = [block for block in pages.blocks(REPOSITORY / document) if block.language == "sh"]
    assert len(shell) == len(re.findall(r"```(?:sh|bash|shell|console)\b", text)), "begin it with ```sh"
    unmarked = [block.text for block in shell if block.rule is None and document != pages.TUTORIAL]
    assert not unmarked, "write `<!-- run: here -->` or `<!-- not run: REASON -->` above it"


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
@pytest.mark.parametrize(
    ("document", "commands"),
    [
        pytest.param(document, block.text, id=f"{document}: {block.text.splitlines()[0]}")
        for document in pages.DOCUMENTS
        for block in pages.blocks(REPOSITORY / document)
        if (block.rule, block.detail) == ("run", "here")
    ],
)
def test_a_shell_block_of_a_document_runs(document: str, commands: str, emulator: Emulator) -> None:
    if "cargo " in commands and not os.environ.get("CI"):
        pytest.skip("it compiles; CI runs it")
    binaries = [str(Path(sys.executable).parent), str(Path(program()).parent)]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([*binaries, os.environ["PATH"]]),
        "TORII_ISSUER": emulator.issuer,
        "TORII_API_URL": emulator.api_url,
        "TORII_SECRET_KEY": emulator.secret_key,
    }
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(
        [bash, "-euo", "pipefail", "-c", commands],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize(
    "example",
    [each for each in docstrings() if ">>>" in each.code and "= await" not in each.code],
    ids=lambda example: example.name,
)
def test_an_example_of_a_docstring_runs(example: Example, names: dict[str, Any], emulator: Emulator) -> None:
    text = local(example.code, emulator)
    offered = {name: getattr(module, name) for module in MODULES for name in module.__all__}
    test = doctest.DocTestParser().get_doctest(text, {**offered, **names}, example.name, None, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    complaints: list[str] = []
    runner.run(test, out=complaints.append, clear_globs=False)
    assert not complaints, "".join(complaints)


def test_every_function_every_call_of_the_api_and_every_class_to_begin_with_has_an_example() -> None:
    without = {each.name for each in docstrings() if ">>>" not in each.code}
    assert not without & {"AsyncToriiClient", "ToriiAuth", "ToriiClient", "Verifier"}
    assert not [name for name in without if re.match(r"[a-z]|(?!Torii|Async)\w+Client\.", name)]


def local(code: str, emulator: Emulator) -> str:
    """The code with the local torii where torii stands."""
    key = 'secret_key=os.environ["TORII_SECRET_KEY"]'
    return (
        code.replace("https://acme.torii.so", emulator.issuer)
        .replace("https://api.torii.so", emulator.api_url)
        .replace(f"{key})", f'{key}, api_url="{emulator.api_url}")')
    )
