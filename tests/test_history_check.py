"""The checker of histories finds each kind of wrong read, and nothing in histories that are right."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest
from history_check import MalformedHistoryError, Operation, Read, Versions, Write, check

EVEN, ODD = range(0, 1000, 2), range(1, 1000, 2)


def write(version: int, start: int, end: int, *, failed: bool = False, key: str = "x") -> Write:
    return Write(0, key, version, start, end, failed)


def read(versions: Versions, start: int, end: int, *, source: str | None = None) -> Read:
    return Read(1, {"x": versions}, start, end, source)


def kinds(*history: Operation) -> list[str]:
    return [violation.kind for violation in check(history)]


# -- histories that are right --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([], id="nothing happened"),
        pytest.param([read(0, 0, 1)], id="what was there before"),
        pytest.param([write(1, 0, 1), read(1, 2, 3)], id="what was written"),
        pytest.param([write(1, 0, 3), read(0, 1, 2)], id="the old version during a write"),
        pytest.param([write(1, 0, 3), read(1, 1, 2)], id="the new version during a write"),
        pytest.param([read(1, 0, 3), write(1, 1, 2)], id="a write within the read"),
        pytest.param([read(0, 0, 3), write(1, 1, 2)], id="a read that began before the write"),
        pytest.param(
            [write(1, 0, 9), read(1, 1, 4), read(0, 2, 3), read(1, 5, 6)],
            id="reads that overlap may differ in any order",
        ),
        pytest.param(
            [write(1, 0, 9), read(1, 1, 2, source="a"), read(0, 3, 4, source="b")],
            id="an older version from another source, during the write",
        ),
    ],
)
def test_histories_of_an_atomic_register_are_clean(history: list[Operation]) -> None:
    assert kinds(*history) == []


# -- histories that are wrong --------------------------------------------------------------------------


def test_a_read_that_misses_a_write_that_had_returned_is_stale() -> None:
    assert kinds(write(1, 0, 1), read(0, 2, 3)) == ["stale"]


def test_a_stale_read_of_another_source_is_stale_too() -> None:
    assert kinds(write(1, 0, 1), read(1, 2, 3, source="a"), read(0, 4, 5, source="b")) == ["stale"]


def test_a_read_of_what_has_not_begun_to_be_written_is_of_the_future() -> None:
    assert kinds(read(1, 0, 1), write(1, 2, 3)) == ["future"]


def test_a_read_of_the_future_does_not_make_the_reads_after_it_wrong() -> None:
    assert kinds(read(7, 0, 1), read(0, 2, 3)) == ["future"]


def test_an_old_version_after_a_new_one_is_backwards_although_the_write_still_runs() -> None:
    assert kinds(write(1, 0, 9), read(1, 1, 2), read(0, 3, 4)) == ["backwards"]


def test_a_read_is_judged_by_what_was_read_before_it_began_not_before_it_returned() -> None:
    assert kinds(write(1, 0, 9), read(0, 1, 4), read(1, 2, 3)) == []
    assert kinds(write(1, 0, 9), read(1, 1, 2), read(0, 3, 4), read(0, 5, 6)) == ["backwards"] * 2


def test_each_register_is_judged_by_its_own_writes() -> None:
    both = Read(1, {"x": 0, "y": 0}, 4, 5)
    found = check([write(1, 0, 1, key="x"), write(1, 2, 6, key="y"), both])
    assert [(violation.kind, violation.key) for violation in found] == [("stale", "x")]


def test_the_order_in_which_a_history_is_written_down_does_not_matter() -> None:
    history: list[Operation] = [
        *(write(1, 0, 1), write(2, 4, 7)),
        *(read(0, 2, 3), read(2, 5, 6), read(1, 8, 9)),
    ]
    expected = check(history)
    assert [violation.kind for violation in expected] == ["stale", "stale"]
    assert all(check(order) == expected for order in itertools.permutations(history))


def test_a_violation_says_what_was_read_and_what_would_have_been_right() -> None:
    (violation,) = check([write(1, 0, 1), write(2, 2, 3), write(3, 4, 8), read(1, 5, 6, source="list")])
    assert str(violation) == (
        "stale: thread 1 read version 1 of x from list between the stamps 5 and 6; allowed: 2 to 3"
    )


# -- failed writes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", [0, 1])
def test_a_failed_write_may_have_happened_or_not(seen: int) -> None:
    assert kinds(write(1, 0, 1, failed=True), read(seen, 2, 3)) == []


def test_a_failed_write_that_was_seen_has_happened() -> None:
    assert kinds(write(1, 0, 1, failed=True), read(1, 2, 3), read(0, 4, 5)) == ["backwards"]


def test_a_write_overwrites_a_failed_one() -> None:
    assert kinds(write(1, 0, 1, failed=True), write(2, 2, 3), read(1, 4, 5)) == ["stale"]


# -- reads that do not tell the version ----------------------------------------------------------------


def test_an_unknown_version_is_right_if_one_of_the_possible_ones_is() -> None:
    writes = write(1, 0, 1), write(2, 2, 3)
    assert kinds(*writes, read(EVEN, 4, 5)) == []
    assert kinds(*writes, read(ODD, 4, 5)) == ["stale"]
    assert kinds(*writes, write(3, 4, 7), read(ODD, 5, 6)) == []


def test_an_unknown_version_that_nobody_has_written_is_of_the_future() -> None:
    assert kinds(read(ODD, 0, 1)) == ["future"]
    assert kinds(read(range(5, 8), 0, 1)) == ["future"]


def test_an_unknown_version_may_be_older_than_all_that_are_allowed() -> None:
    assert kinds(*(write(n, 2 * n, 2 * n + 1) for n in range(1, 5)), read(range(1, 3), 20, 21)) == ["stale"]


def test_the_oldest_possible_version_is_assumed_so_that_later_reads_are_free() -> None:
    writes = write(1, 0, 1), write(2, 2, 20), write(3, 21, 40)
    assert kinds(*writes, read(ODD, 22, 23), read(2, 24, 25)) == ["backwards"]
    assert kinds(write(1, 0, 1), write(2, 2, 20), read(range(1, 3), 4, 5), read(1, 6, 7)) == []


# -- histories that cannot be judged -------------------------------------------------------------------


def test_writes_that_overlap_cannot_be_judged() -> None:
    with pytest.raises(MalformedHistoryError, match="version 2 of x follows 1"):
        check([write(1, 0, 2), write(2, 1, 3)])


def test_versions_that_do_not_rise_cannot_be_judged() -> None:
    with pytest.raises(MalformedHistoryError, match="version 1 of x follows 1"):
        check([write(1, 0, 1), write(1, 2, 3)])


# -- against the definition ----------------------------------------------------------------------------


def histories(dice: random.Random) -> Iterator[list[Operation]]:
    """Short histories of random stamps and versions, right ones and wrong ones."""
    answers: list[Versions] = [0, 1, 2, EVEN, ODD]
    while True:
        stamps = list(range(2 * dice.randint(3, 6)))
        cuts = sorted(dice.sample(stamps, 4))
        failed = dice.random() < 0.3
        rest = [stamp for stamp in stamps if stamp not in cuts]
        dice.shuffle(rest)
        reads = [
            read(dice.choice(answers), *sorted(pair)) for pair in zip(rest[::2], rest[1::2], strict=True)
        ]
        yield [write(1, *cuts[:2], failed=failed), write(2, *cuts[2:]), *reads]


def is_linearisable(history: list[Operation]) -> bool:
    """By the definition: some order of all, true to real time, in which a register gives these answers."""

    def goes_on(rest: list[Operation], version: int) -> bool:
        if not any(isinstance(operation, Read) or not operation.failed for operation in rest):
            return True
        first_end = min(
            operation.end for operation in rest if isinstance(operation, Read) or not operation.failed
        )
        for operation in rest:
            if operation.start > first_end:
                continue
            others = [other for other in rest if other is not operation]
            if isinstance(operation, Write):
                if operation.version > version and goes_on(others, operation.version):
                    return True
            elif _gives(operation.versions["x"], version) and goes_on(others, version):
                return True
        return False

    return goes_on(history, 0)


def _gives(versions: Versions, version: int) -> bool:
    return version == versions if isinstance(versions, int) else version in versions


def test_the_verdict_is_that_of_a_search_through_all_orders() -> None:
    verdicts = {True: 0, False: 0}
    for history in itertools.islice(histories(random.Random(1)), 5000):
        verdict = is_linearisable(history)
        assert (check(history) == []) == verdict, history
        verdicts[verdict] += 1
    assert min(verdicts.values()) > 500
