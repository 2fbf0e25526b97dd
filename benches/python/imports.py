"""What importing a module costs a fresh interpreter: `imports.py MODULE`; `sys` costs nothing."""

from __future__ import annotations

import subprocess
import sys

import worker

PROGRAM = """
import time
start = time.perf_counter_ns()
import {module}
print(time.perf_counter_ns() - start)
print(next(line for line in open("/proc/self/status") if line.startswith("VmRSS:")).split()[1])
"""


def main(module: str) -> None:
    def measure(_: worker.Case) -> worker.Sample:
        program = [sys.executable, "-I", "-c", PROGRAM.format(module=module)]
        nanoseconds, kibibytes = subprocess.run(
            program, check=True, capture_output=True, text=True
        ).stdout.split()
        return {"ns": float(nanoseconds), "bytes": float(kibibytes) * 1024}

    worker.answer(measure)


if __name__ == "__main__":
    main(*sys.argv[1:])
