"""Clients: connections to Redis or Valkey, by the library redis."""

from __future__ import annotations

import contextlib
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from wats_accel.errors import AccelError

SCHEMES: Final = (
    *("redis", "rediss", "unix"),
    *("redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"),
)


class UrlError(AccelError):
    """A URL that leads to no server. The message has nothing of it: there may be a password in it."""


def client_of(url: str, *, timeout_seconds: float) -> Any:
    """A client; it connects when it is first used.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://`` for TLS, ``unix:///path``,
            ``redis+sentinel://host:26379,host:26379/service``, ``redis+cluster://host:6379``.
        timeout_seconds: of each step on a socket.

    Raises:
        UrlError: it is none of these.
        ImportError: the library is missing: it comes with ``wats-accel[redis]``.
    """
    from redis.backoff import NoBackoff  # noqa: PLC0415 - it takes long, and few need it
    from redis.retry import Retry  # noqa: PLC0415 - as above

    scheme = url.partition("://")[0]
    if scheme not in SCHEMES:
        raise UrlError(f"expected one of {', '.join(f'{known}://' for known in SCHEMES)}")
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),  # whoever waits has no time for another one
        "protocol": 2,  # one step less to connect
    }
    with contextlib.suppress(Exception):
        return _made(scheme, url, options)
    # Not in a handler: the other exception would hang on this one, and may have the URL.
    raise UrlError("it does not lead to a server")


def _made(scheme: str, url: str, options: dict[str, Any]) -> Any:
    import redis  # noqa: PLC0415 - as above

    if scheme.endswith("+sentinel"):
        return _by_sentinel(url, options)
    if scheme.endswith("+cluster"):
        return redis.RedisCluster.from_url(url.replace("+cluster", "", 1), **options)
    return redis.Redis.from_url(url, **options)


def _by_sentinel(url: str, options: dict[str, Any]) -> Any:
    import redis.sentinel  # noqa: PLC0415 - as above

    sentinel: Any = redis.sentinel.Sentinel  # it has no types

    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise UrlError("the name of the service is missing")
    known = [_place(host) for host in hosts.split(",")]
    asked = parse_qs(parts.query)
    of_sentinels = {name: options[name] for name in ("socket_timeout", "socket_connect_timeout")}
    if parts.scheme.startswith("rediss"):
        of_sentinels["ssl"] = True
    if "sentinel_password" in asked:
        of_sentinels["password"] = asked["sentinel_password"][0]
    return sentinel(known, sentinel_kwargs=of_sentinels).master_for(
        service,
        username=unquote(user) or None,
        password=unquote(password) or None,
        db=int(database or 0),
        ssl=parts.scheme.startswith("rediss"),
        **options,
    )


def _place(host: str) -> tuple[str, int]:
    """The host and the port of a sentinel: ``name``, ``name:26380``, ``[::1]:26380``."""
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise UrlError("a sentinel has no name")
    return parts.hostname, parts.port or 26379
