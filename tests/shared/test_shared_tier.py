"""The shared tier, by real processes: one loads for all, and no process keeps what another has overtaken."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from private_redis import PrivateRedis
from shops import Shops

KEYS = "keys: {env: TEST_SHARED_KEYS}"


@pytest.fixture
def shops(redis_server: PrivateRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shops]:
    monkeypatch.setenv("TEST_SHARED_KEYS", "ab" * 32)
    made = Shops(tmp_path, redis_server.url)
    yield made
    made.close()


def test_what_one_has_loaded_the_other_finds(shops: Shops) -> None:
    one, other = shops.open(2)
    assert one.call("everybody") == other.call("everybody")
    assert (one("runs"), other("runs")) == (["everybody"], [])
    assert (one("counted"), other("counted")) == ({"missed": 1, "kept": 1}, {"found": 1})


def test_the_second_call_asks_nobody(shops: Shops) -> None:
    (one,) = shops.open(1)
    assert one.call("role", 1) == one.call("role", 1)
    assert one("counted") == {"missed": 1, "kept": 1}


@pytest.mark.parametrize("sql", [False, True], ids=["by rules", "by SQL"])
def test_what_one_writes_the_other_reads(shops: Shops, *, sql: bool) -> None:
    one, other = shops.open(2, sql=sql)
    for shop in (one, other):
        assert shop.call("role", 1) == "'role 1'"
        assert "'role 1'" in shop.call("everybody")
    one.call("set_role", 1, "boss")
    other.until("received", 1)
    assert other.call("role", 1) == "'boss'"
    assert "'boss'" in other.call("everybody")
    assert one.call("role", 1) == "'boss'"
    assert one("runs").count("role") + other("runs").count("role") == 2  # one before, one after


def test_a_write_leaves_the_answers_of_other_arguments_alone(shops: Shops) -> None:
    one, other = shops.open(2)
    one.call("role", 1)
    other.call("role", 2)
    one.call("set_role", 1, "boss")
    other.until("received", 1)
    assert (one.call("role", 2), other.call("role", 2)) == ("'role 2'", "'role 2'")
    assert (one("runs"), other("runs")) == (["role"], ["role"])


@pytest.mark.parametrize("hears", [True, False])
def test_a_load_that_a_write_elsewhere_has_overtaken_is_kept_nowhere(shops: Shops, *, hears: bool) -> None:
    one, other = shops.open(2)
    if not hears:
        one("deaf")
    one("close_gate")
    one("start", "a", "role", 1)
    assert one("at_gate")  # it has read what was there before
    other.call("set_role", 1, "boss")
    if hears:
        one.until("received", 1)
    one("open_gate")
    assert one("result", "a") == "'role 1'"  # the call began before the write
    assert other.call("role", 1) == "'boss'"
    if hears:
        assert one.call("role", 1) == "'boss'"
    else:  # so it is the server's own number that has refused it
        assert one("counted")["overtaken"] == 1


def test_who_wants_what_another_process_loads_waits_for_it(shops: Shops) -> None:
    one, other = shops.open(2, options="lease: 20s")
    one("close_gate")
    one("start", "a", "everybody")
    assert one("at_gate")
    other("start", "b", "everybody")
    one("open_gate")
    assert one("result", "a") == other("result", "b")
    assert other("runs") == []


def test_one_that_dies_while_others_wait_delays_them_by_its_lease_only(shops: Shops) -> None:
    one, other = shops.open(2, options="lease: 200ms")
    one("close_gate")
    one("start", "a", "everybody")
    assert one("at_gate")
    one.kill()
    assert "'role 1'" in other.call("everybody")
    assert (other("runs"), other("counted")["kept"]) == (["everybody"], 1)


def test_a_method_that_raises_keeps_nobody_waiting(shops: Shops) -> None:
    one, other = shops.open(2, options="lease: 20s")
    with pytest.raises(RuntimeError, match="IndexError"):
        one.call("role", 99)
    with pytest.raises(RuntimeError, match="IndexError"):
        other.call("role", 99)
    assert "waited" not in other("counted")


def test_an_answer_made_from_others_is_not_shared(shops: Shops) -> None:
    one, other = shops.open(2)
    assert (one.call("title", 1), other.call("title", 1)) == ("'Role 1'", "'Role 1'")
    assert one("counted")["rests_on_others"] == 1
    assert (one("runs"), other("runs")) == (["title", "role"], ["title"])


def test_what_looks_like_a_secret_stays_here_and_is_told_once(shops: Shops) -> None:
    one, other = shops.open(2)
    assert one.call("account", 1) == other.call("account", 1) == "{'id': 1, 'Usu_Senha': 'role 1'}"
    one.call("account", 2)
    assert (one("counted"), other("counted")) == ({"missed": 1, "secret_columns": 1},) * 2
    assert one("runs") == ["account", "account"]
    (problem,) = one("problems")
    assert "shared.namespaces" in problem
    assert "Usu_Senha looks like a secret" in problem
    assert "role 1" not in problem


@pytest.mark.parametrize("options", [KEYS, "waive_seal: [users]"])
def test_what_looks_like_a_secret_is_shared_under_a_seal_or_if_the_seal_is_waived(
    shops: Shops, options: str
) -> None:
    one, other = shops.open(2, options=options)
    assert one.call("account", 1) == other.call("account", 1)
    assert (other("runs"), one("problems")) == ([], [])


def test_where_statements_are_seen_the_columns_that_were_read_tell_of_secrets(shops: Shops) -> None:
    (one,) = shops.open(1, sql="secret_columns: [role]")
    one.call("everybody")
    assert one("counted") == {"missed": 1, "secret_columns": 1}


def test_all_columns_of_a_table_are_those_that_it_is_known_to_have(shops: Shops) -> None:
    (one,) = shops.open(1, sql="secret_columns: [role], tables: {users: [id, role]}")
    assert one.call("whole") == one.call("everybody")
    assert one("counted") == {"missed": 2, "secret_columns": 2}


def test_what_cannot_go_over_the_wire_stays_here(shops: Shops) -> None:
    (one,) = shops.open(1)
    one.call("odd")
    assert one("counted")["not_encodable"] == 1


def test_nothing_that_was_cached_or_asked_for_can_be_read_at_the_server(
    shops: Shops, redis_server: PrivateRedis, tmp_path: Path
) -> None:
    one, other = shops.open(2, options=KEYS)
    one.call("set_role", 1, "salt-and-pepper")
    one.call("role", 1)
    one.call("everybody")
    assert "salt-and-pepper" in other.call("everybody")
    whole = _all_that_is_there(redis_server)
    assert len(whole) > 500
    for secret in (b"salt", b"pepper", str(tmp_path).encode(), b"shop.db"):
        assert secret not in whole


def _all_that_is_there(redis_server: PrivateRedis) -> bytes:
    client = redis_server.client()
    told = []
    for key in client.keys("*"):
        told.append(key)
        for read in (client.get, client.hgetall, client.xrange):
            with contextlib.suppress(Exception):
                told.append(repr(read(key)).encode())
    return b" ".join(told)


@pytest.mark.parametrize("options", ["", KEYS], ids=["in clear", "sealed"])
def test_a_value_that_was_changed_is_a_miss(shops: Shops, redis_server: PrivateRedis, options: str) -> None:
    one, other = shops.open(2, options=options)
    one.call("role", 1)
    client = redis_server.client()
    (answer,) = client.keys("{wats_accel}:a:*")
    value = bytearray(client.hget(answer, "value"))
    value[-1] ^= 1
    client.hset(answer, "value", bytes(value))
    assert other.call("role", 1) == "'role 1'"
    assert (other("runs"), other("counted")["unreadable"]) == (["role"], 1)


def test_an_old_value_that_is_put_back_is_a_miss(shops: Shops, redis_server: PrivateRedis) -> None:
    one, other = shops.open(2, options=KEYS)
    one.call("role", 1)
    client = redis_server.client()
    (answer,) = client.keys("{wats_accel}:a:*")
    old = client.hgetall(answer)
    one.call("set_role", 1, "boss")
    other.until("received", 1)
    assert one.call("role", 1) == "'boss'"
    client.hset(answer, b"value", old[b"value"])  # under the new number
    assert other.call("role", 1) == "'boss'"
    assert other("counted")["unreadable"] == 1
    client.hset(answer, mapping=old)  # with its own number: a tag is ahead of it
    (third,) = shops.open(1, options=KEYS)
    assert third.call("role", 1) == "'boss'"


def test_different_versions_share_no_answer_and_hear_of_each_other(shops: Shops) -> None:
    (one,), (other,) = shops.open(1, options="version: '1'"), shops.open(1, options="version: '2'")
    assert one.call("role", 1) == other.call("role", 1)
    assert (one("runs"), other("runs")) == (["role"], ["role"])
    one.call("set_role", 1, "boss")
    other.until("received", 1)
    assert other.call("role", 1) == "'boss'"


def test_those_of_each_version_share_among_themselves(shops: Shops) -> None:
    old, new = shops.open(2, options="version: '1'"), shops.open(2, options="version: '2'")
    for shop in (old[0], new[0], old[1], new[1]):
        assert shop.call("role", 1) == "'role 1'"
    assert [shop("runs") for shop in (*old, *new)] == [["role"], [], ["role"], []]


def test_who_uninstalls_says_goodbye(shops: Shops) -> None:
    one, other = shops.open(2)
    one("uninstall")
    other.until("members_are", 1)
    assert one.call("role", 1) == "'role 1'"


def test_a_child_process_is_a_member_of_its_own(shops: Shops) -> None:
    (one,) = shops.open(1)
    one.call("role", 1)
    assert one("fork") == {"mode": "connected", "role": "'role 1'"}
    assert one.call("role", 1) == "'role 1'"
