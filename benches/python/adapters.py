"""A request to a protected route, in one process and without a server: `adapters.py FRAMEWORK/WITH FOLDER`.

`WITH` is `bare` (the route without protection), `ours`, or the name of what users take today.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import worker

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[[list[str]], object]
    """One request for each token."""

USER = {"user": "somebody"}
HOT = 1_000
"""At least as many tokens as a case of `hot` asks for."""


def fastapi(kind: str, world: worker.World) -> Serve:
    from fastapi import Depends, FastAPI, HTTPException
    from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

    app = FastAPI()
    if kind == "ours":
        from torii_backend.fastapi import require_auth

        dependencies = [Depends(require_auth(verifier=_verifier(world)))]
    elif kind == "HTTPBearer and PyJWT":
        decode, bearer = _pyjwt(world), HTTPBearer()

        async def current(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> Any:  # noqa: B008
            try:
                return decode(credentials.credentials)
            except Exception as error:
                raise HTTPException(401) from error

        dependencies = [Depends(current)]
    else:
        dependencies = []
    app.get("/me", dependencies=dependencies)(_async_view)
    return _asgi(app)


def starlette(kind: str, world: worker.World) -> Serve:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.responses import JSONResponse
    from starlette.routing import Route
    from torii_backend.starlette import AuthMiddleware

    async def me(_: Any) -> Any:
        return JSONResponse(USER)

    middleware = [Middleware(AuthMiddleware, verifier=_verifier(world))] if kind == "ours" else []
    return _asgi(Starlette(routes=[Route("/me", me)], middleware=middleware))


def litestar(kind: str, world: worker.World) -> Serve:
    from litestar import Litestar, get

    handler = get("/me", sync_to_thread=False)(lambda: USER)
    handler.fn.__annotations__["return"] = dict[str, str]
    if kind == "JWTAuth":
        from litestar.security.jwt import JWTAuth

        async def user(token: Any, _connection: Any) -> Any:
            return token.sub

        user.__annotations__ = {}
        auth = JWTAuth[Any](retrieve_user_handler=user, token_secret=_pem(world), algorithm="ES256")
        return _asgi(Litestar([handler], on_app_init=[auth.on_app_init], openapi_config=None))
    middleware: list[Any] = []
    if kind == "ours":
        from torii_backend.litestar import torii_auth

        middleware = [torii_auth(verifier=_verifier(world))]
    return _asgi(Litestar([handler], middleware=middleware, openapi_config=None))


def aiohttp(kind: str, world: worker.World) -> Serve:
    from aiohttp import web
    from aiohttp.test_utils import make_mocked_request

    middlewares = []
    if kind == "ours":
        from torii_backend.aiohttp import auth_middleware

        middlewares = [auth_middleware(verifier=_verifier(world))]
    app = web.Application(middlewares=middlewares)

    async def me(_: web.Request) -> web.Response:
        return web.json_response(USER)

    app.router.add_get("/me", me)
    app.freeze()
    loop = asyncio.new_event_loop()
    template = make_mocked_request("GET", "/me", app=app)

    async def each(tokens: list[str]) -> None:
        for token in tokens:
            request = template.clone(headers={"Authorization": f"Bearer {token}"})
            response = await app._handle(request)  # noqa: SLF001 -- there is no public way without a server
            _check(response.status)

    return lambda tokens: loop.run_until_complete(each(tokens))


def flask(kind: str, world: worker.World) -> Serve:
    from flask import Flask

    app = Flask("bench")
    view: Any = lambda: USER  # noqa: E731
    if kind == "ours":
        from torii_backend.flask import Torii

        view = Torii(app, verifier=_verifier(world)).require_auth()(view)
    elif kind == "flask-jwt-extended":
        from flask_jwt_extended import JWTManager, jwt_required

        app.config.update(JWT_ALGORITHM="ES256", JWT_PUBLIC_KEY=_pem(world), JWT_DECODE_ISSUER=world.url)
        JWTManager(app)
        view = jwt_required()(view)
    app.add_url_rule("/me", "me", view)
    return _wsgi(app)


def django(kind: str, world: worker.World) -> Serve:
    from django.http import JsonResponse
    from django.urls import path

    settings: dict[str, Any] = {}
    if kind == "ours":
        settings = {
            "MIDDLEWARE": ["torii_backend.django.AuthMiddleware"],
            "TORII": {"VERIFIER": _verifier(world)},
        }
    return _django(settings, lambda: path("me", lambda _: JsonResponse(USER)))


def drf(kind: str, world: worker.World) -> Serve:
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"]
    settings: dict[str, Any] = {"INSTALLED_APPS": apps, "REST_FRAMEWORK": {"UNAUTHENTICATED_USER": None}}
    if kind == "ours":
        settings["TORII"] = {"VERIFIER": _verifier(world)}
    elif kind == "simplejwt":
        settings["SIMPLE_JWT"] = {
            "ALGORITHM": "ES256",
            "VERIFYING_KEY": _pem(world),
            "ISSUER": world.url,
            "TOKEN_TYPE_CLAIM": None,
            "JTI_CLAIM": None,
            "USER_ID_CLAIM": "sub",
        }

    def route() -> Any:
        from django.urls import path
        from rest_framework.permissions import IsAuthenticated
        from rest_framework.renderers import JSONRenderer
        from rest_framework.response import Response
        from rest_framework.views import APIView

        classes: list[Any] = []
        if kind == "ours":
            from torii_backend.drf import ToriiAuthentication

            classes = [ToriiAuthentication]
        elif kind == "simplejwt":
            from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication

            classes = [JWTStatelessUserAuthentication]

        class Me(APIView):
            authentication_classes = classes
            permission_classes = (IsAuthenticated,) if classes else ()
            renderer_classes = (JSONRenderer,)

            def get(self, _: Any) -> Response:
                return Response(USER)

        return path("me", Me.as_view())

    return _django(settings, route)


def ninja(kind: str, world: worker.World) -> Serve:
    def route() -> Any:
        from django.urls import path
        from ninja import NinjaAPI

        options: dict[str, Any] = {}
        if kind == "ours":
            from torii_backend.ninja import ToriiBearer

            options = {"auth": ToriiBearer(verifier=_verifier(world))}
        api = NinjaAPI(**options)
        api.get("/me")(lambda request: USER)  # noqa: ARG005 -- Ninja goes by the name
        return path("", api.urls)

    return _django({}, route)


async def _async_view() -> dict[str, str]:
    return USER


def _verifier(world: worker.World) -> Any:
    from torii_backend import Verifier

    verifier = Verifier(world.url)
    verifier.warm_up()
    return verifier


def _pyjwt(world: worker.World) -> Callable[[str], Any]:
    import jwt

    key = jwt.PyJWK(world.jwk)
    return lambda token: jwt.decode(token, key, algorithms=["ES256"], issuer=world.url)


def _pem(world: worker.World) -> str:
    import jwt
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = jwt.PyJWK(world.jwk).key
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _check(status: int) -> None:
    if status != 200:
        raise RuntimeError(f"the route answered {status}")


def _asgi(app: Any) -> Serve:
    loop = asyncio.new_event_loop()
    # What a server would have sent and not of interest here.
    base = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
    }
    base |= {
        "path": "/me",
        "raw_path": b"/me",
        "query_string": b"",
        "root_path": "",
        "server": ("127.0.0.1", 80),
    }
    base |= {"client": ("127.0.0.1", 1)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            _check(message["status"])

    async def each(tokens: list[str]) -> None:
        for token in tokens:
            headers = [(b"host", b"app"), (b"authorization", b"Bearer " + token.encode())]
            await app({**base, "headers": headers, "state": {}}, receive, send)

    return lambda tokens: loop.run_until_complete(each(tokens))


def _wsgi(app: Any) -> Serve:
    from wsgiref.util import setup_testing_defaults

    base: dict[str, Any] = {}
    setup_testing_defaults(base)
    base["PATH_INFO"] = "/me"

    def start(status: str, *_: Any) -> None:
        _check(int(status[:3]))

    def each(tokens: list[str]) -> None:
        for token in tokens:
            reply = app({**base, "HTTP_AUTHORIZATION": f"Bearer {token}"}, start)
            b"".join(reply)
            if hasattr(reply, "close"):
                reply.close()

    return each


def _django(settings: dict[str, Any], route: Callable[[], Any]) -> Serve:
    import types

    import django as package
    from django.conf import settings as configured
    from django.core.wsgi import get_wsgi_application

    urls = types.ModuleType("bench_urls")
    sys.modules["bench_urls"] = urls
    defaults = {"ALLOWED_HOSTS": ["*"], "ROOT_URLCONF": "bench_urls", "SECRET_KEY": "x", "MIDDLEWARE": []}
    configured.configure(**{**defaults, **settings})
    package.setup()
    urls.urlpatterns = [route()]  # type: ignore[attr-defined]
    return _wsgi(get_wsgi_application())


def main(peer: str, folder: str) -> None:
    framework, kind = peer.split("/")
    world = worker.load(folder)
    serve = globals()[framework](kind, world)
    # Cold tokens are taken from the other end.
    hot, cold = worker.Tokens(world.tokens), worker.Tokens(world.tokens[::-1])

    def measure(case: worker.Case) -> worker.Sample:
        block = cold.cold if case.name == "cold" else hot.hot(case.size)
        return worker.repeat(case, lambda done: [block(done)], serve)

    # Whoever remembers tokens has seen the hot ones.
    serve(world.tokens[:HOT])
    worker.answer(measure)


if __name__ == "__main__":
    main(*sys.argv[1:])
