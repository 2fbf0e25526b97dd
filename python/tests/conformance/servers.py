"""Real servers for the applications, on ports that the system chooses."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parents[1]


@contextlib.contextmanager
def uvicorn(app: Any, **settings: Any) -> Iterator[int]:
    """Serve an ASGI application in a thread."""
    import uvicorn

    # The last release for Python 3.9 writes some headers of a refused handshake twice.
    sockets = "websockets-sansio" if sys.version_info >= (3, 10) else "wsproto"
    config = uvicorn.Config(app, log_level="critical", http="h11", ws=sockets, **settings)
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the server does not stop"


@contextlib.contextmanager
def aiohttp(made: Callable[[], Any]) -> Iterator[int]:
    """Serve an application of aiohttp, which is made in the loop that it runs in."""
    import asyncio

    from aiohttp import web

    started, loop = threading.Event(), asyncio.new_event_loop()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))

    async def serve() -> None:
        runner = web.AppRunner(made(), access_log=None, max_field_size=1 << 16, max_line_size=1 << 16)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        stop = asyncio.Event()
        stopping.append(lambda: loop.call_soon_threadsafe(stop.set))
        started.set()
        await stop.wait()
        await runner.cleanup()

    stopping: list[Callable[[], Any]] = []
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(20), "the server did not start"
    try:
        yield listener.getsockname()[1]
    finally:
        stopping[0]()
        thread.join(20)
        assert not thread.is_alive(), "the server does not stop"
        loop.close()
        listener.close()


def gunicorn(app: str, *options: str) -> contextlib.AbstractContextManager[int]:
    """Serve a WSGI application, `module:name`, in a process of its own, with requests in several threads."""
    options = ("--chdir", str(TESTS), "--log-level", "critical", "--workers", "1", "--threads", "4", *options)
    return _process("gunicorn", "--bind", "fd://{}", *options, app)


def uvicorn_process(app: str) -> contextlib.AbstractContextManager[int]:
    """Serve an ASGI application, `module:name`, in a process of its own."""
    options = ("--log-level", "critical", "--http", "h11", "--ws", "none", "--lifespan", "off")
    return _process("uvicorn", "--fd", "{}", "--app-dir", str(TESTS), *options, app)


@contextlib.contextmanager
def _process(*command: str) -> Iterator[int]:
    """Run a module with a listening socket, whose number stands for `{}`."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        handle = listener.fileno()
        filled = [part.format(handle) for part in command]
        process = subprocess.Popen([sys.executable, "-m", *filled], pass_fds=[handle], start_new_session=True)
        try:
            yield listener.getsockname()[1]
            assert process.poll() is None, "the server ended"
        finally:
            process.terminate()
            try:
                process.wait(20)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
