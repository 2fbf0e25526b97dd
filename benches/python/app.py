"""The web application under load, with whichever torii-backend this interpreter has: `app.py ISSUER`."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Response
from torii_backend import ToriiAuth
from torii_backend.fastapi import require_auth

Auth = Annotated[ToriiAuth, Depends(require_auth(issuer=sys.argv[1]))]
app = FastAPI()


@app.get("/open")
async def open_route() -> dict[str, str]:
    return {"user": "nobody"}


@app.get("/me")
async def me(auth: Auth) -> dict[str, str]:
    return {"user": auth.user_id}


@app.get("/cpu")
async def cpu() -> Response:
    """Processor time of this process so far, in nanoseconds."""
    return Response(str(time.process_time_ns()))


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))

    def end_with_input() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end_with_input, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
