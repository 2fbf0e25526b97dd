"""Where the peers come from: environments of their own below `target/benches`."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import venv
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

BENCHES = Path(__file__).parent
REPOSITORY = BENCHES.parent
TARGET = REPOSITORY / "target/benches"
PUBLISHED = "torii-backend[fastapi]==0.0.13"


class Programs(NamedTuple):
    """What workers are started with. `None` is what this run does not need or this machine does not have."""

    rust: str
    ours: str | None
    published: str | None
    node: str | None
    versions: dict[str, str]


def install(kinds: set[str], package: str) -> Programs:
    """Build and install. `package` is what pip installs as ours: the repository, a wheel."""
    TARGET.mkdir(parents=True, exist_ok=True)
    rust, versions = _rust()
    ours = published = node = None
    if "python" in kinds:
        ours = _python("ours", package)
        published = _python("published", PUBLISHED)
        versions |= {f"Python: {name}": version for name, version in _pip_versions(published).items()}
        versions["Python: torii-backend, ours"] = _pip_versions(ours)["torii-backend"]
    if "node" in kinds and shutil.which("npm"):
        node = _node(versions)
    return Programs(
        rust, ours, published, node, dict(sorted(versions.items(), key=lambda item: item[0].lower()))
    )


def machine() -> dict[str, str]:
    """Where and when this is measured."""
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ":")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=REPOSITORY, **_QUIET)
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() or "unknown",
        "processor": cpu.split(":", 1)[1].strip() or platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load before the run": f"{os.getloadavg()[0]:.2f}",
    }


_QUIET = {"capture_output": True, "text": True, "check": False}


def _rust() -> tuple[str, dict[str, str]]:
    manifest = BENCHES / "rust/Cargo.toml"
    target = Path(os.environ.get("CARGO_TARGET_DIR", TARGET / "rust"))
    _run("cargo", "build", "--release", "--locked", "--manifest-path", manifest, "--target-dir", target)
    arguments = ["cargo", "metadata", "--locked", "--format-version", "1", "--manifest-path", str(manifest)]
    metadata = json.loads(subprocess.run(arguments, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    root = next(node for node in metadata["resolve"]["nodes"] if node["id"] == metadata["resolve"]["root"])
    direct = (packages[dependency["pkg"]] for dependency in root["deps"])
    versions = {f"Rust: {package['name']}": package["version"] for package in direct}
    versions["Rust"] = subprocess.run(["rustc", "--version"], **_QUIET).stdout.split()[1]
    return str(target / "release/torii-bench"), versions


def _python(name: str, package: str) -> str:
    folder = TARGET / f"python-{name}"
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "-r", BENCHES / "requirements.txt")
    # The code may have changed while its version has not.
    local = ["--force-reinstall", "--no-deps"] if Path(package).exists() else []
    _run(*pip, *local, package)
    return str(python)


def _pip_versions(python: str) -> dict[str, str]:
    listing = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"], check=True, capture_output=True
    )
    wanted = {"cryptography", "fastapi", "httpx", "joserfc", "pydantic", "pyjwt", "torii-backend", "urllib3"}
    wanted |= {"uvicorn", "uvloop", "httptools"}
    found = {
        item["name"]: item["version"] for item in json.loads(listing.stdout) if item["name"].lower() in wanted
    }
    return {**found, "CPython": platform.python_version()}


def _node(versions: dict[str, str]) -> str:
    folder = TARGET / "node"
    folder.mkdir(exist_ok=True)
    for source in (BENCHES / "node").iterdir():
        shutil.copy(source, folder)
    _run("npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", folder)
    for package in ("fast-jwt", "jose"):
        manifest = json.loads((folder / f"node_modules/{package}/package.json").read_text())
        versions[f"Node: {package}"] = manifest["version"]
    versions["Node"] = subprocess.run(["node", "--version"], **_QUIET).stdout.strip()
    return str(folder / "verify.mjs")


def _run(*command: str | Path) -> None:
    """Run a tool; what it says goes where our own progress goes."""
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr, cwd=REPOSITORY)
