"""Flask: an extension with a decorator for views, and protection for whole blueprints.

It comes with `pip install "torii-backend[flask]"`.
"""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Callable, TypeVar, cast

try:
    from flask import Flask, current_app, request
except ImportError as error:
    raise ImportError(
        'torii_backend.flask needs Flask: pip install "torii-backend[flask]"', name=error.name
    ) from error

from torii_backend._flask import Applications, Protection, answer, current_auth
from torii_backend._gate import Refusal, Refused
from torii_backend._settings import VERIFIER, in_small, verifier_of
from torii_backend._stacking import is_unguarded, remember
from torii_backend.errors import ToriiConfigError

if TYPE_CHECKING:
    from flask import Blueprint
    from typing_extensions import Unpack

    from torii_backend._gate import GateSettings
    from torii_backend._settings import Options

__all__ = ["Refusal", "Refused", "Torii", "current_auth"]

View = TypeVar("View", bound=Callable[..., Any])

# The API client's, which may stand beside them.
_CLIENTS = ("TORII_SECRET_KEY", "TORII_API_URL")
# Each view says itself what it requires.
_NAMES = VERIFIER | {"allow_preflight", "claims", "on_refused"}


class Torii:
    """Protects views of Flask applications.

    Args:
        app: The application. Without it, call `init_app` later, for one application or for several.
        settings: `issuer`, and other settings of a `Verifier`; or `verifier`, one of your own. Also `claims`,
            `on_refused` and `allow_preflight`, for views that have none of their own. The configuration can
            have them too, as `TORII_ISSUER` and so on; keywords count before it.

    In place of a view whose caller is not let in, `Refused` is raised, and answered with JSON. To answer
    otherwise, register an error handler of your own for it, after `init_app`.

    >>> from flask import Flask
    >>> app = Flask(__name__)
    >>> torii = Torii(app, issuer="https://acme.torii.so")
    >>> @app.get("/me")
    ... @torii.require_auth()
    ... def me():
    ...     return {"user_id": current_auth.user_id}

    Raises:
        ToriiConfigError: `init_app`: a setting cannot be used.

    """

    def __init__(self, app: Flask | None = None, **settings: Unpack[GateSettings]) -> None:
        self._settings = {name.upper(): value for name, value in settings.items()}
        self._apps = Applications()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Read the application's configuration, and register the handler of `Refused`."""
        config = cast("dict[str, Any]", app.config)
        found = [name for name in config if name.startswith("TORII_") and name not in _CLIENTS]
        given = {**{name[6:]: config[name] for name in found}, **self._settings}
        settings = in_small(given, _NAMES, "TORII_{}")
        self._apps[app] = {"verifier": verifier_of(settings), **settings}
        app.extensions["torii"] = self
        app.register_error_handler(Refused, answer)
        app.before_request(self._refuse_unguarded)

    def require_auth(self, **options: Unpack[Options]) -> Callable[[View], View]:
        """Protect a view, plain or asynchronous, with the options of `torii_backend.wsgi.AuthMiddleware`.

        It stands below `@app.route`, which registers what is below itself. Above it, the view would not be
        protected: it is answered with 500.
        """
        protection = Protection(self._apps, options)

        def decorate(view: View) -> View:
            async def waiting(*arguments: Any, **parameters: Any) -> Any:
                await protection.admit_async()
                return await view(*arguments, **parameters)

            def plain(*arguments: Any, **parameters: Any) -> Any:
                protection.admit()
                return view(*arguments, **parameters)

            protected = wraps(view)(waiting if iscoroutinefunction(view) else plain)
            remember(view, protected)
            return cast("View", protected)

        return decorate

    def protect(self, views: Blueprint | Flask, **options: Unpack[Options]) -> None:
        """Protect all views of a blueprint and of those in it or, for an application, all that it answers."""
        views.before_request(Protection(self._apps, options).admit)

    def _refuse_unguarded(self) -> None:
        """Refuse a view that is registered without the decorator above its route."""
        views, endpoint = current_app.view_functions, request.endpoint
        if is_unguarded(views.get(endpoint or ""), views.values()):
            error = ToriiConfigError(f"require_auth: must stand below the route of {endpoint}")
            raise Protection(self._apps, {}).gate().refuse(error) from error
