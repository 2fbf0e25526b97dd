"""What is compared with what, and what each comparison is to show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rounds import Case, Comparison, Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peers import Programs

GROWTH = "growth-"
"""How the names of comparisons begin whose cases are numbers: their sizes."""
RAW = "Rust: aws-lc-rs, the signature alone"
RUST = "Rust: torii-backend"
RUST_NEW = "Rust: torii-backend without memory"
PUBLISHED = "Python: torii-backend 0.0.13"
PYTHON = "Python: torii-backend, ours"
FAST_JWT = "Node: fast-jwt, cache"
HYPER = "Rust: hyper"
BARE = "Python: nothing"
OPEN = "open route"
PUBLISHED_HOT = "0.0.13, hot tokens"
OURS_HOT = "ours, hot tokens"

BARE_FRAMEWORK = "bare"
OURS = "ours"
ADAPTERS = {
    "FastAPI": ("fastapi", ["HTTPBearer and PyJWT"]),
    "Starlette": ("starlette", []),
    "Litestar": ("litestar", ["JWTAuth"]),
    "aiohttp": ("aiohttp", []),
    "Flask": ("flask", ["flask-jwt-extended"]),
    "Django": ("django", []),
    "Django REST framework": ("drf", ["simplejwt"]),
    "django-ninja": ("ninja", []),
}
"""The module of `python/adapters.py`, and what users take today."""


class Rows(NamedTuple):
    """Where the cost of protecting a route stands in a comparison."""

    open: str
    ours: str
    other: str | None
    case: str


ROUTES = [
    *(
        (
            framework,
            framework,
            2,
            Rows(f"Rust: {framework}", f"Rust: {framework}, {ours}", other, "1,000 tokens"),
        )
        for framework, ours, other in [
            ("axum", "extractor", "Rust: axum, jsonwebtoken"),
            ("actix-web", "extractor", "Rust: actix-web, httpauth and jsonwebtoken"),
            ("tonic", "AuthLayer", None),
        ]
    ),
    *(
        (
            framework,
            "python-adapters",
            15,
            Rows(
                f"{framework}: {BARE_FRAMEWORK}",
                f"{framework}: {OURS}",
                f"{framework}: {others[0]}" if others else None,
                "500 tokens",
            ),
        )
        for framework, (_, others) in ADAPTERS.items()
    ),
]
"""By framework: the comparison, the most microseconds a remembered token should cost, and where it stands."""

BATCH = 1_000
ONE_BY_ONE = "one by one"
TOGETHER = "verify_many"


class Size(NamedTuple):
    """How much is measured."""

    rounds: int
    milliseconds: int
    """Of one measurement of verification; the others are multiples."""
    tokens: int
    """Of the world. A cold token is used once in each worker: that has to be enough."""
    hot: tuple[int, ...]
    keys: tuple[int, ...]
    issuers: tuple[int, ...]
    remembered: tuple[int, ...]
    threads: tuple[int, ...]
    users: int


FULL = Size(
    rounds=25,
    milliseconds=40,
    tokens=150_000,
    hot=(1, 1_000, 10_000),
    keys=(1, 3, 10, 30, 100),
    issuers=(1, 10, 100, 256, 300, 1_000, 10_000),
    remembered=(10, 100, 1_000, 10_000, 100_000),
    threads=(1, 2, 4, 8),
    users=1_000_000,
)
QUICK = Size(
    rounds=3,
    milliseconds=10,
    tokens=4_000,
    hot=(1, 500),
    keys=(1, 10),
    issuers=(1, 300),
    remembered=(10, 1_000),
    threads=(1, 2),
    users=10_000,
)


def verification(programs: Programs, folder: str, size: Size) -> Iterator[Comparison]:
    def rust(name: str, peer: str) -> Peer:
        return Peer(name, [programs.rust, "verify", peer, folder], RAW)

    peers = [
        rust(RAW, "aws-lc-rs"),
        rust(RUST_NEW, "torii-backend without memory"),
        rust(RUST, "torii-backend"),
        rust("Rust: jsonwebtoken, aws_lc_rs", "jsonwebtoken aws_lc_rs"),
        rust("Rust: jsonwebtoken, rust_crypto", "jsonwebtoken rust_crypto"),
        rust("Rust: jwt-simple", "jwt-simple"),
        *_python(programs, "verify.py", folder, "torii_backend", pyjwt="PyJWT", joserfc="joserfc"),
    ]
    if programs.node:
        node = {FAST_JWT: "fast-jwt, cache", "Node: fast-jwt": "fast-jwt", "Node: jose": "jose"}
        peers += [Peer(name, ["node", programs.node, peer, folder], FAST_JWT) for name, peer in node.items()]
    cold = [Case(_count(threads, "thread"), _case("cold", size, threads=threads)) for threads in (1, 2)]
    hot = [
        Case(f"{_count(tokens, 'token')}, {_count(threads, 'thread')}", _case("hot", size, tokens, threads))
        for threads in (1, 2)
        for tokens in size.hot
    ]
    note = "Two threads: time per token of both together."
    yield Comparison("cold", "A token that was not seen before", peers, cold, ["ns"], size.rounds, note)
    note = "Only torii-backend and fast-jwt's cache remember tokens. The others do what they do for new ones."
    yield Comparison("hot", "A token that was seen before", peers, hot, ["ns"], size.rounds, note)


def inside(programs: Programs, folder: str, size: Size) -> Iterator[Comparison]:
    peer = Peer(RUST, [programs.rust, "inside", folder])
    rounds = max(size.rounds // 2, 3)
    cases = [
        Case("all but the signature check", _case("outside the signature", size)),
        Case("refusing an unknown key", _case("unknown key", size)),
        Case("memory of a remembered token", {"name": "memory", "size": size.hot[-1]}),
        Case(f"memory after {size.remembered[-1]:,} tokens", {"name": "bound", "size": size.remembered[-1]}),
    ]
    note = (
        "The first is the whole less the raw check, token by token. The second is a path "
        "without a signature check: all else but the claims' values. By default 10,000 tokens are remembered."
    )
    yield Comparison("inside", "Inside our verification", [peer], cases, ["ns", "bytes"], rounds, note)

    cases = [
        Case(ONE_BY_ONE, _case("one by one", size, BATCH)),
        Case(TOGETHER, _case("batch", size, BATCH)),
    ]
    peers = [peer, *_ours(programs, "verify.py", "torii_backend", folder)]
    peers = [each._replace(against=None) for each in peers]
    title = f"New tokens, {BATCH:,} at a time, on {os.cpu_count()} cores"
    yield Comparison("batch", title, peers, cases, ["ns"], rounds)

    def growth(
        what: str, title: str, peers: dict[str, str], cases: dict[int, dict[str, object]]
    ) -> Comparison:
        each = [Peer(name, [programs.rust, *peer.split("/"), folder]) for name, peer in peers.items()]
        labelled = [Case(str(number), arguments) for number, arguments in cases.items()]
        return Comparison(GROWTH + what, title, each, labelled, ["ns", "bytes"], rounds)

    cases = {each: _case("keys", size, each) for each in size.keys}
    yield growth("keys", "New tokens, against keys in the set", {"new": "inside"}, cases)
    cases = {each: _case("tokens", size, each) for each in size.remembered}
    yield growth("tokens", "Remembered tokens, against how many there are", {"remembered": "inside"}, cases)
    cases = {each: _case("issuers", size, each) for each in size.issuers}
    title = "Tokens of issuers in turn, against issuers (256 are remembered)"
    yield growth("issuers", title, {"in turn": "inside"}, cases)
    cases = {each: _case("hot", size, size.hot[1], each) for each in size.threads}
    peers = {"remembered": "verify/torii-backend", "new": "verify/torii-backend without memory"}
    yield growth("threads", "Time per token of all threads together, against threads", peers, cases)


def api(programs: Programs, folder: str, size: Size) -> Iterator[Comparison]:
    rust = {HYPER: "hyper", "Rust: reqwest": "reqwest", RUST: "torii-backend"}
    rust["Rust: torii-backend, blocking"] = "torii-backend, blocking"
    peers = [Peer(name, [programs.rust, "api", peer, folder], HYPER) for name, peer in rust.items()]
    python = _python(programs, "api.py", folder, "torii_backend", httpx="httpx", urllib3="urllib3")
    asynchronous = _ours(programs, "api.py", "torii_backend_async", folder, name=f"{PYTHON}, asyncio")
    cases = [Case("one call", {"name": "get", "milliseconds": 3 * size.milliseconds})]
    title = "users.get over loopback"
    everybody = [*peers, *python, *asynchronous]
    yield Comparison("users-get", title, everybody, cases, ["ns", "cpu_ns"], size.rounds)
    walkers = [peers[-1], *_ours(programs, "api.py", "torii_backend", folder)]
    walkers = [peer._replace(against=None) for peer in walkers]
    cases = [Case("one user", {"name": "walk", "size": size.users})]
    title = f"A walk over {size.users:,} users"
    note = "Memory is the most by which the process grew while it walked."
    yield Comparison("walk", title, walkers, cases, ["ns", "bytes"], 1, note)


def adapters(programs: Programs, folder: str, size: Size) -> Iterator[Comparison]:
    """Rust's web frameworks, in one process and without a connection."""
    memory = ("", " without memory")
    layer = [f"AuthLayer{way}" for way in memory]
    extractor = [f"extractor{way}" for way in memory]
    frameworks = {
        "axum": [*layer, *extractor, "jsonwebtoken"],
        "actix-web": [*(f"middleware{way}" for way in memory), *extractor, "httpauth and jsonwebtoken"],
        "tonic": layer,
    }
    for framework, protected in frameworks.items():
        names = [framework, *(f"{framework}, {way}" for way in protected)]
        peers = [
            Peer(f"Rust: {name}", [programs.rust, "adapter", name, folder], f"Rust: {framework}")
            for name in names
        ]
        cases = [Case("new token", _case("cold", size)), Case("1,000 tokens", _case("hot", size, 1_000))]
        note = "The first line is the open route. Its requests carry the same tokens."
        yield Comparison(framework, f"A request through {framework}", peers, cases, ["ns"], size.rounds, note)


def web(programs: Programs, folder: str, size: Size, start: Callable[[str], str]) -> Iterator[Comparison]:
    """`start` starts the application with an interpreter, and says where it is."""
    if not (programs.ours and programs.published):
        return
    published, ours = start(programs.published), start(programs.ours)

    def load(name: str, url: str, order: str) -> Peer:
        return Peer(name, [programs.rust, "load", url, order, folder], PUBLISHED_HOT)

    peers = [
        load(OPEN, f"{ours}/open", "none"),
        load(PUBLISHED_HOT, f"{published}/me", "hot"),
        load("0.0.13, cold tokens", f"{published}/me", "cold"),
        load(OURS_HOT, f"{ours}/me", "hot"),
        load("ours, cold tokens", f"{ours}/me", "cold"),
    ]
    cases = [Case("8 connections", {"name": "load", "threads": 8, "milliseconds": 12 * size.milliseconds})]
    title = "FastAPI under uvicorn, one worker"
    rounds = max(size.rounds // 2, 3)
    yield Comparison("fastapi", title, peers, cases, ["per_second", "cpu_ns"], rounds)


def python_adapters(programs: Programs, folder: str, size: Size) -> Iterator[Comparison]:
    """Python's web frameworks, likewise."""

    def peer(framework: str, module: str, kind: str) -> Peer:
        command = [str(programs.ours), _script("adapters.py"), f"{module}/{kind}", folder]
        return Peer(f"{framework}: {kind}", command, f"{framework}: {BARE_FRAMEWORK}")

    if not programs.ours:
        return
    peers = [
        peer(framework, module, kind)
        for framework, (module, others) in ADAPTERS.items()
        for kind in (BARE_FRAMEWORK, OURS, *others)
    ]
    cases = [Case("new token", _case("cold", size)), Case("500 tokens", _case("hot", size, 500))]
    title = "A request through a framework of Python"
    note = "`bare` is the open route. Only ours remembers tokens: the others do what they do for new ones."
    yield Comparison("python-adapters", title, peers, cases, ["ns"], max(size.rounds // 2, 3), note)


def imports(programs: Programs, size: Size) -> Iterator[Comparison]:
    modules = {
        BARE: "sys",
        PUBLISHED: "torii_backend",
        "Python: PyJWT": "jwt",
        "Python: joserfc": "joserfc.jwt",
    }
    peers = []
    if programs.published:
        script = _script("imports.py")
        for name, module in modules.items():
            against = None if name == BARE else PUBLISHED
            peers.append(Peer(name, [programs.published, script, module], against))
        peers += _ours(programs, "imports.py", "torii_backend")
    cases = [Case("once", {"name": "import"})]
    rounds = max(size.rounds // 2, 3)
    note = "Memory is the whole process's, the interpreter's included."
    yield Comparison(
        "import", "Importing the module in a fresh interpreter", peers, cases, ["ns", "bytes"], rounds, note
    )


def _python(programs: Programs, script: str, folder: str, own: str, **others: str) -> list[Peer]:
    if not programs.published:
        return []
    peers = {PUBLISHED: own, **{f"Python: {name}": peer for peer, name in others.items()}}
    command = [programs.published, _script(script)]
    found = [Peer(name, [*command, peer, folder], PUBLISHED) for name, peer in peers.items()]
    return [*_ours(programs, script, own, folder), *found]


def _ours(programs: Programs, script: str, *arguments: str, name: str = PYTHON) -> list[Peer]:
    if not programs.ours:
        return []
    return [Peer(name, [programs.ours, _script(script), *arguments], PUBLISHED)]


def _script(name: str) -> str:
    return str(Path(__file__).parent / "python" / name)


def _case(name: str, size: Size, things: int = 0, threads: int = 1) -> dict[str, object]:
    return {"name": name, "size": things, "threads": threads, "milliseconds": size.milliseconds}


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + "s" * (number != 1)
