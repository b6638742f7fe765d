"""On the example: with a rule forgotten shadow and verification tell of it, and with all rules of nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from differential import Differential
from threads_in_step import result_of

from wats_accel.cache.background import Background
from wats_accel.extension import AnswerDiffers
from wats_accel.testing import accelerated

CONFIG = Path(__file__).resolve().parents[2] / "config"
SHADOW: dict[str, Any] = {"shadow": True}
VERIFY: dict[str, Any] = {"verify": "100%"}
WHOLE, SHARE = 400, 12
OF_EACH = 60
FORGOTTEN = [
    "grant_individual_access",
    "admin_update_user",
    "admin_update_connection",
    "admin_update_group",
    "insert_connection_log",
]


@pytest.fixture
def background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons run at once, in another thread."""

    def submit(background: Background, job: Callable[[], None]) -> bool:
        result_of(job)
        return True

    monkeypatch.setattr(Background, "submit", submit)


def config(policy: dict[str, Any], *, forgotten: str | None = None, by_sql: bool = False) -> dict[str, Any]:
    """The application's, with all methods on trial; with one rule less, or with none and the SQL instead."""
    document: dict[str, Any] = yaml.safe_load((CONFIG / "wats.yaml").read_text(encoding="utf-8"))
    document["sql"]["schema"] = str(CONFIG / "wats-schema.yaml")
    for options in document["cache"]["namespaces"].values():
        options.update(policy)
    if forgotten is not None:
        (rules,) = [known for known in document["repositories"] if forgotten in known.get("invalidates", {})]
        del rules["invalidates"][forgotten]
    if by_sql:
        document["invalidation"] = "sql"
        document["pool"].append({"connect": "sqlite3:connect"})
        for repository in document["repositories"]:
            repository.pop("invalidates", None)
    return document


def run(service: Any, document: dict[str, Any], writes: int) -> tuple[Any, Any, int]:
    """Write and ask; gives the cache's figures, what callers got, and how many differences were told of."""
    told: list[AnswerDiffers] = []
    with accelerated(document) as accelerator:
        accelerator._bus.subscribe(AnswerDiffers, told.append)
        seen = Differential(service, accelerator, seed=1).run(writes)
        total = accelerator.stats().total
    print(f"\n{total}")
    return total, seen, len(told)


@pytest.mark.soak
@pytest.mark.parametrize("by_sql", [False, True], ids=["rules", "sql"])
def test_where_nothing_is_forgotten_the_shadow_tells_of_nothing_stale(
    service: Any, soak: bool, by_sql: bool
) -> None:
    total, seen, told = run(service, config(SHADOW, by_sql=by_sql), WHOLE if soak else SHARE)
    assert (total.hits, total.shadow_stale, told, seen.stale) == (0, 0, 0, [])
    assert total.verified + total.inconclusive == total.shadow_hits > total.misses > 0
    assert total.inconclusive < total.verified // 10


@pytest.mark.soak
@pytest.mark.parametrize("by_sql", [False, True], ids=["rules", "sql"])
def test_where_nothing_is_forgotten_verification_tells_of_no_difference(
    service: Any, background: None, soak: bool, by_sql: bool
) -> None:
    total, seen, told = run(service, config(VERIFY, by_sql=by_sql), WHOLE if soak else SHARE)
    assert (total.differences, told, seen.stale) == (0, 0, [])
    assert total.verified == total.hits - total.inconclusive > 100


@pytest.mark.soak
def test_a_forgotten_rule_shows_in_the_shadow_and_nobody_gets_a_stale_answer(
    service: Any, soak: bool
) -> None:
    for forgotten in FORGOTTEN if soak else FORGOTTEN[:1]:
        total, seen, told = run(service, config(SHADOW, forgotten=forgotten), OF_EACH if soak else SHARE)
        assert total.shadow_stale >= told > 0, forgotten
        assert (total.hits, seen.stale) == (0, [])


@pytest.mark.soak
def test_a_forgotten_rule_shows_in_verification(service: Any, background: None, soak: bool) -> None:
    for forgotten in FORGOTTEN if soak else FORGOTTEN[:1]:
        total, seen, told = run(service, config(VERIFY, forgotten=forgotten), OF_EACH if soak else SHARE)
        assert total.differences == told > 0, forgotten
        assert seen.stale  # some callers got one before it was found
