"""Clients: what a URL leads to, and that no error shows a password."""

from __future__ import annotations

from typing import Any

import pytest

from wats_accel.shared.clients import UrlError, client_of


def options_of(client: Any) -> dict[str, Any]:
    return dict(client.connection_pool.connection_kwargs)


def test_a_url_of_redis_names_host_port_database_user_and_password() -> None:
    options = options_of(client_of("redis://u:p@cache.example:6380/2", timeout_seconds=0.05))
    named = {name: options[name] for name in ("host", "port", "db", "username", "password")}
    assert named == {"host": "cache.example", "port": 6380, "db": 2, "username": "u", "password": "p"}
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (0.05, 0.05)


def test_tls_and_socket_files() -> None:
    tls = client_of("rediss://cache.example", timeout_seconds=1.0)
    assert tls.connection_pool.connection_class.__name__ == "SSLConnection"
    assert options_of(client_of("unix:///run/redis.sock", timeout_seconds=1.0))["path"] == "/run/redis.sock"


def test_sentinels_are_asked_for_the_master_of_a_service() -> None:
    client = client_of(
        "redis+sentinel://u:p@one.example,two.example:26380/wats/3?sentinel_password=q", timeout_seconds=0.2
    )
    pool = client.connection_pool
    assert pool.service_name == "wats"
    options = options_of(client)
    assert (options["username"], options["password"], options["db"]) == ("u", "p", 3)
    known = [known.connection_pool.connection_kwargs for known in pool.sentinel_manager.sentinels]
    assert [(one["host"], one["port"], one["password"]) for one in known] == [
        ("one.example", 26379, "q"),
        ("two.example", 26380, "q"),
    ]


def test_a_sentinel_may_have_any_address_and_a_password_any_characters() -> None:
    client = client_of("rediss+sentinel://u:p%40ss@[::1]:26380,two.example/wats", timeout_seconds=0.2)
    assert options_of(client)["password"] == "p@ss"
    known = [one.connection_pool for one in client.connection_pool.sentinel_manager.sentinels]
    addresses = [(one.connection_kwargs["host"], one.connection_kwargs["port"]) for one in known]
    assert addresses == [("::1", 26380), ("two.example", 26379)]
    assert {one.connection_class.__name__ for one in known} == {"SSLConnection"}


@pytest.mark.parametrize(
    "url",
    [
        "http://u:hunter2@x",
        "hunter2",
        "",
        "redis+sentinel://u:hunter2@x:1",
        "redis://u:hunter2@x:port/0",
        "redis+sentinel://u:hunter2@x:y/z",
        "redis://u:hunter2/3@x:1/0",
        "redis+sentinel://u:hunter2#3@x:1/z",
    ],
)
def test_what_leads_nowhere_is_refused_and_no_password_is_told(url: str) -> None:
    with pytest.raises(UrlError) as caught:
        client_of(url, timeout_seconds=1.0)
    assert "hunter2" not in str(caught.value)
    assert (
        caught.value.__context__ is None
    )  # it would have a part of it; some show it though it is suppressed
