"""Asks the workers of `tasks` for work, and checks their answers."""

from __future__ import annotations

import os

from scenario import USER
from tasks import get, verify

asked = [
    task.delay(argument) for _ in range(20) for task, argument in ((verify, os.environ["TOKEN"]), (get, USER))
]
answers = [task.get(timeout=30, interval=0.02) for task in asked]
assert {user for _, user in answers} == {USER}
assert os.getpid() not in {worker for worker, _ in answers}
