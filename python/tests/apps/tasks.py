"""A Celery application that uses the package while it is loaded, before its workers are forked."""

from __future__ import annotations

import os

import torii_backend
from celery import Celery
from scenario import USER, client

ISSUER = os.environ["TORII_ISSUER"]
TORII = client(ISSUER)

torii_backend.verify_token(os.environ["TOKEN"], issuer=ISSUER)
TORII.users.get(USER)

folder = os.environ["BROKER_FOLDER"]
app = Celery("tasks", broker="filesystem://", backend=f"file://{folder}/results")
app.conf.broker_transport_options = {
    "data_folder_in": f"{folder}/messages",
    "data_folder_out": f"{folder}/messages",
    "control_folder": f"{folder}/control",
    "polling_interval": 0.02,
}
app.conf.broker_connection_retry_on_startup = True


@app.task
def verify(token: str) -> tuple[int, str]:
    return os.getpid(), torii_backend.verify_token(token, issuer=ISSUER).user_id


@app.task
def get(user: str) -> tuple[int, str]:
    return os.getpid(), str(TORII.users.get(user).id)
