"""What the core reports, in Python's `logging`."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.standin import Fault, eventually
from torii_backend import ToriiKeysUnavailableError, Verifier

if TYPE_CHECKING:
    from support.standin import StandIn


def test_a_failed_fetch_of_keys_is_logged(standin: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    standin.fault("keys", Fault(retry_after=1))
    token = standin.token()
    with caplog.at_level(logging.INFO, "torii_backend"):
        with pytest.raises(ToriiKeysUnavailableError):
            Verifier(standin.url).verify(token)
        eventually(lambda: any(record.levelno >= logging.WARNING for record in caplog.records))
    record = next(record for record in caplog.records if record.levelno >= logging.WARNING)
    assert record.name == "torii_backend"
    assert standin.url in record.getMessage()
    assert token not in caplog.text


def test_logging_is_neither_loaded_nor_set_up(standin: StandIn) -> None:
    standin.fault("keys", Fault(retry_after=1))
    program = """
import sys, time, torii_backend
def refused(url, token):
    try:
        torii_backend.Verifier(url).verify(token)
    except torii_backend.ToriiKeysUnavailableError:
        time.sleep(0.3)
refused(*sys.argv[1:3])
assert "logging" not in sys.modules
import logging
refused(*sys.argv[3:])
assert not logging.getLogger().handlers and not logging.getLogger("torii_backend").handlers
assert logging.getLogger("torii_backend").level == logging.NOTSET
"""
    command = [sys.executable, "-c", program, standin.url, standin.token()]
    command += [standin.url + "/2", standin.token("/2")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    # What `logging` does with a warning where no handler is set.
    assert ran.stderr.count("\n") == ran.stderr.count(standin.url) >= 1
