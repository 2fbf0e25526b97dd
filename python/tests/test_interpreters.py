"""Other interpreters of a process, and imports that come a second time."""

from __future__ import annotations

import subprocess
import sys

import pytest

CREATE = """
try:
    import _interpreters
    create = lambda: _interpreters.create("legacy")
    def run(id, code):
        failed = _interpreters.run_string(id, code)
        assert failed is None, failed.msg
except ImportError:
    import _xxsubinterpreters as _interpreters
    options = {"isolated": False} if sys.version_info >= (3, 10) else {}
    create = lambda: _interpreters.create(**options)
    run = _interpreters.run_string
"""


def ran(program: str) -> str:
    command = [sys.executable, "-X", "faulthandler", "-W", "ignore", "-c", "import sys\n" + program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_second_interpreter_is_told_what_to_do() -> None:
    program = """
try:
    import torii_backend
except ImportError as error:
    print(error, flush=True)
"""
    told = ran(
        CREATE
        + "import torii_backend\n"
        + f"run(create(), {program!r})\n"
        + "try:\n    torii_backend.verify_token('x', issuer='https://acme.torii.so')\n"
        + "except torii_backend.ToriiAuthError as error:\n    print(error.code)\n"
    ).splitlines()
    assert told[-1] == "malformed", "the first interpreter's classes are still in use"
    # PyO3 refuses in Python 3.9 to 3.11, and the package in later ones.
    assert "interpreter" in told[0]


ANEW = """
import torii_backend
from torii_backend import Verifier as Old
for name in [name for name in sys.modules if name.split(".")[0] == "torii_backend"]:
    {condition}
        del sys.modules[name]
import torii_backend as anew
assert anew is not torii_backend
for call in (
    lambda: anew.verify_token("x", issuer="https://acme.torii.so"),
    lambda: anew.Verifier("https://acme.torii.so").verify("x"),
    lambda: anew.Verifier("nowhere"),
    lambda: anew.create_torii_client(secret_key="sk_test_anew").users.get("x"),
):
    try:
        call()
    except (anew.ToriiAuthError, anew.ToriiApiError) as error:
        print(type(error).__name__)
answers = anew.Verifier("https://acme.torii.so").verify_many(["x"])
assert isinstance(answers[0], anew.ToriiAuthError)
auth = anew.ToriiAuth.for_tests(org_id="o")
assert isinstance(auth, anew.ToriiAuth)
assert isinstance(auth.organization, anew.ToriiActiveOrganization)
"""


@pytest.mark.parametrize("condition", ["if True:", "if name != 'torii_backend._native':"])
def test_except_catches_after_the_package_was_imported_anew(condition: str) -> None:
    caught = ran(ANEW.replace("{condition}", condition)).split()
    assert caught == ["ToriiAuthError", "ToriiAuthError", "ToriiConfigError", "ToriiRequestError"]
