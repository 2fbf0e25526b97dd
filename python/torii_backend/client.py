"""The client of torii's backend API, for threads. `torii_backend.aio` has the same methods for coroutines.

What a method has to send with it is given as keywords, as a mapping with snake_case or camelCase names, or
as a model of `torii_backend.models`; what was not given does not travel. Metadata keeps its order of keys and
its whole numbers, up to what a double holds; `Decimal`, `UUID` and `datetime` become text. Every method takes

- `timeout`: seconds until it returns, waits and retries included, in place of the client's;
- `attempt_timeout`: seconds until the last byte of one attempt's reply, in place of the client's;
- `retries`: `False` makes one attempt only.

It raises a `ToriiApiError`: the class itself for a refusal, whose statuses the methods list, and

- `ToriiNotFoundError` for a refusal with 404, `ToriiConflictError` for one with 409;

- `ToriiRequestError`, also a `ValueError`, for arguments that cannot be sent, or that the method does not
  have. Nothing was sent;
- `ToriiTransportError`, or `ToriiTimeoutError`, where no reply came and repeating the call does no harm;
- `ToriiOutcomeUnknownError` where no reply came and the call may have been carried out;
- `ToriiReplyError` for a reply that is not what the API promises.
"""

from os import PathLike
from typing import Callable, Optional, TypeVar, Union

from typing_extensions import ParamSpec, Self

from torii_backend._calls import Reply
from torii_backend._fields import CallOptions, Id
from torii_backend._groups import ClientBase, Items, Pages, described
from torii_backend._native import Client
from torii_backend._sync.allowed_origins import AllowedOriginsClient
from torii_backend._sync.impersonation import ImpersonationClient
from torii_backend._sync.invitations import InvitationsClient
from torii_backend._sync.organizations import OrganizationsClient
from torii_backend._sync.sessions import SessionsClient
from torii_backend._sync.users import UsersClient

__all__ = [
    "DEFAULT_API_URL",
    "AllowedOriginsClient",
    "CallOptions",
    "Id",
    "ImpersonationClient",
    "InvitationsClient",
    "Items",
    "OrganizationsClient",
    "Pages",
    "Reply",
    "SessionsClient",
    "ToriiClient",
    "UsersClient",
    "create_torii_client",
]

P = ParamSpec("P")
T = TypeVar("T")
DEFAULT_API_URL = "https://api.torii.so"
"""Where the API is unless `api_url` says otherwise."""


def create_torii_client(
    *,
    secret_key: Optional[str] = None,
    api_url: Optional[str] = None,
    timeout: float = 30.0,
    attempt_timeout: float = 10.0,
    connect_timeout: float = 3.0,
    allow_insecure_http: bool = False,
    user_agent_suffix: Optional[str] = None,
    proxy: Optional[str] = None,
    ca_file: Union[str, PathLike[str], None] = None,
    max_idle_connections: Optional[int] = None,
) -> "ToriiClient":
    """Make a client of the backend API. It opens no connection before its first call.

    Args:
        secret_key: The environment's secret key, `sk_test_…` or `sk_live_…`, from the torii dashboard.
            Without it, `TORII_SECRET_KEY` is read and, unless `api_url` is given, `TORII_API_URL`.
        api_url: Where the API is; `DEFAULT_API_URL` unless given.
        timeout: Seconds until a call returns, waits and retries included.
        attempt_timeout: Seconds until the last byte of one attempt's reply.
        connect_timeout: Seconds until a connection stands, name look-up and TLS included.
        allow_insecure_http: Whether `api_url` may be plain http beyond loopback: whoever is on the way can
            then read the secret key.
        user_agent_suffix: The application's name and version, for the `User-Agent`.
        proxy: The proxy to go through, `http://user:password@host:port`; "" for none. Unless given,
            `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say. This machine is never asked for through a proxy.
        ca_file: A file of certificates in PEM. Servers are trusted by these and no others. Unless given,
            `SSL_CERT_FILE`, `SSL_CERT_DIR` and `REQUESTS_CA_BUNDLE` name them, and else the system.
        max_idle_connections: Most connections that are kept open while no call needs them, 16 unless given.

    >>> import os
    >>> torii = create_torii_client(secret_key=os.environ["TORII_SECRET_KEY"], api_url="https://api.torii.so")
    >>> torii.users.get(user_id).email
    'ada@example.com'

    Raises:
        ToriiConfigError: A setting cannot be used; the message names it. It is also a `ValueError`.

    """
    try:
        return ToriiClient(
            secret_key=secret_key,
            api_url=api_url,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            connect_timeout=connect_timeout,
            allow_insecure_http=allow_insecure_http,
            user_agent_suffix=user_agent_suffix,
            proxy=proxy,
            ca_file=ca_file,
            max_idle_connections=max_idle_connections,
        )
    finally:
        # Error reports that show variables show these.
        del secret_key, api_url, proxy


class ToriiClient(ClientBase):
    """A client of the backend API, for threads, which may share it. `create_torii_client` says what it takes.

    A call waits on its own thread with the GIL released, and Ctrl-C ends it. After a fork, the child opens
    connections of its own.

    >>> import os
    >>> with ToriiClient(secret_key=os.environ["TORII_SECRET_KEY"], api_url="https://api.torii.so") as torii:
    ...     [user.email for user in torii.users.iterate()]
    ['ada@example.com']
    """

    users: UsersClient
    sessions: SessionsClient
    organizations: OrganizationsClient
    invitations: InvitationsClient
    impersonation: ImpersonationClient
    allowed_origins: AllowedOriginsClient

    def _attach(self, native: Client) -> None:
        self.users = UsersClient(native)
        self.sessions = SessionsClient(native)
        self.organizations = OrganizationsClient(native)
        self.invitations = InvitationsClient(native)
        self.impersonation = ImpersonationClient(native)
        self.allowed_origins = AllowedOriginsClient(native)

    def with_reply(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Reply[T]:
        """Call a method of a group, and return a `Reply`: its value, and what came with it.

        >>> reply = torii.with_reply(torii.users.get, user_id, timeout=5)
        >>> reply.value.first_name, reply.status, reply.attempts
        ('Ada', 200, 1)
        """
        reply: Reply[T] = described(method)(*args, **kwargs)  # type: ignore[assignment]
        return reply

    def close(self) -> None:
        """Close the connections that no call needs. A call after that opens new ones."""
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
