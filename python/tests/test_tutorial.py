"""Follows docs/tutorial.md in an empty folder: writes its files and runs its commands, in one shell.

Only the ports differ from what the page says. The commands that install are run when TORII_DOCS_INSTALL is
set; otherwise the packages are those that the tests run with.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.emulator import REPOSITORY, program
from support.pages import TUTORIAL, Block, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = REPOSITORY / TUTORIAL
INSTALL = bool(os.environ.get("TORII_DOCS_INSTALL"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform == "win32", reason="the page's commands are for a POSIX shell")
def test_the_tutorial_leads_to_a_protected_route_and_to_tests_that_pass(tmp_path: Path) -> None:
    (tmp_path / "torii-backend").symlink_to(REPOSITORY)
    folder = tmp_path / "application"
    folder.mkdir()
    application, torii = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TORII_")}
    environment["TORII_API_URL"] = f"http://127.0.0.1:{torii}"
    environment["XDG_DATA_HOME"] = str(tmp_path / "data")
    if not INSTALL:
        binaries = [str(Path(sys.executable).parent), str(Path(program()).parent)]
        environment["PATH"] = os.pathsep.join([*binaries, environment["PATH"]])
    ports = {
        "torii dev -- uvicorn app:app": f"torii dev --port {torii} -- uvicorn app:app --port {application}",
        "http://127.0.0.1:8000": f"http://127.0.0.1:{application}",
    }

    said = ""
    so_far = "set -eu\n"
    with background(folder, environment) as start:
        for block in blocks(PAGE):
            text = block.text
            for printed, run in ports.items():
                text = text.replace(printed, run)
            if block.rule == "file":
                (folder / block.detail).write_text(text, "utf-8")
            elif block.rule == "run" and block.detail.startswith("until "):
                start(so_far + text, block.detail[len("until ") :])
            elif block.rule != "run" or INSTALL:
                said += shell(text, so_far, folder, environment)
                so_far += variables(block)
    assert "HTTP/1.1 401 Unauthorized" in said
    assert '{"user_id":"' in said
    assert '"guard":"role"' in said
    assert "4 passed" in said


def variables(block: Block) -> str:
    """The lines of a block that the blocks after it need: a terminal remembers them."""
    kept = ("export ", "TOKEN=", ". ")
    return "".join(f"{line}\n" for line in block.text.splitlines() if line.startswith(kept))


def shell(text: str, so_far: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", so_far + text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.quote(text)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def background(folder: Path, environment: dict[str, str]) -> Iterator[Callable[[str, str], None]]:
    """Runs commands until it is left. What it gives takes commands, and a text of theirs to wait for."""
    started: list[subprocess.Popen[bytes]] = []
    log = folder.parent / "background.log"

    def start(text: str, wanted: str) -> None:
        with log.open("wb") as output:
            started.append(
                subprocess.Popen(
                    ["bash", "-c", text],
                    cwd=folder,
                    env=environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        while wanted not in (printed := log.read_text("utf-8")):
            assert started[-1].poll() is None, printed
            time.sleep(0.05)

    try:
        yield start
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)
