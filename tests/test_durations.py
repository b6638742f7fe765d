"""Durations read what people write and write what they read."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wats_accel.durations import format_duration, parse_duration

LENGTHS = st.floats(min_value=0, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("60s", 60.0),
        ("5m", 300.0),
        ("1h30m", 5_400.0),
        ("2d", 172_800.0),
        ("1w", 604_800.0),
        ("250ms", 0.25),
        ("1.5h", 5_400.0),
        ("1w2d3h4m5s6ms", 788_645.006),
        ("1h 30m", 5_400.0),
        ("  1h\t30m ", 5_400.0),
        ("0s", 0.0),
        ("90", 90.0),
        ("0.1s", 0.1),
        ("90m", 5_400.0),
        (60, 60.0),
        (0, 0.0),
        (0.25, 0.25),
    ],
    ids=repr,
)
def test_a_duration_is_read_as_seconds(written: object, seconds: float) -> None:
    result = parse_duration(written)

    assert result == seconds
    assert isinstance(result, float)


def test_minus_zero_is_read_as_zero() -> None:
    assert math.copysign(1, parse_duration(-0.0)) == 1


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "soon",
        "5 m",
        "5M",
        "m",
        "1.5",
        "1.h",
        ".5h",
        "-5m",
        "+5m",
        "30m1h",
        "1h1h",
        "1s1s",
        "1ms1s",
        "1h,30m",
        "1h30",
        "1e3s",
        "\u0665m",
        "\u0665",
        "inf",
        "nan",
        -1,
        -0.5,
        math.nan,
        math.inf,
        True,
        False,
        None,
        [60],
        b"60s",
    ],
    ids=repr,
)
def test_anything_else_is_refused_with_a_sentence_that_says_what_was_expected(written: object) -> None:
    with pytest.raises(
        ValueError, match=r"^expected a duration such as 60s, 5m or 1h30m, or a number of seconds$"
    ):
        parse_duration(written)


@pytest.mark.parametrize(
    "written",
    [10**400, "9" * 400, "9" * 400 + "w", "9" * 10_000, "9" * 10_000 + "w", " " * 50_000 + "x"],
    ids=["int", "digits", "weeks", "more digits than int() reads", "more weeks", "blanks"],
)
def test_an_absurdly_long_value_is_refused_like_any_other(written: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration"):
        parse_duration(written)


def test_blanks_cost_nothing_however_many() -> None:
    assert parse_duration("1h" + " " * 100_000 + "30m") == 5_400


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (0.0005, "0.5ms"),
        (0.001, "1ms"),
        (1e-7, "0.0001ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (60.0, "60s"),
        (90, "90s"),
        (120, "120s"),
        (121, "2m1s"),
        (180, "3m"),
        (300, "5m"),
        (3_600, "1h"),
        (5_400, "1h30m"),
        (5_400.1, "1h30m0.1s"),
        (86_400, "1d"),
        (604_800, "1w"),
        (691_205, "1w1d5s"),
    ],
    ids=str,
)
def test_seconds_are_written_in_one_short_form(seconds: float, written: str) -> None:
    assert format_duration(seconds) == written


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf], ids=str)
def test_what_is_no_duration_cannot_be_written(seconds: float) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        format_duration(seconds)


@given(LENGTHS)
@example(5e-324)
@example(1.7976931348623157e308)
@example(120.00000000000001)
@settings(deadline=None)
def test_what_is_written_reads_back_to_exactly_the_same_number(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(min_value=0, max_value=10**9))
@settings(deadline=None)
def test_whole_seconds_read_back_too(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.text(alphabet="0123456789. wdhms", max_size=20) | st.text())
@settings(deadline=None)
def test_any_text_is_either_a_duration_or_a_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 <= seconds < math.inf
