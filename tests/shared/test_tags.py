"""Tags: whatever an invalidation means has one of the tags that it moves on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache.selection import AnyOf, GlobOf, Selection
from wats_accel.patterns import KeyPattern
from wats_accel.shared.tags import Tags

TAGS = Tags("{t}", b"0123456789abcdef")
TEXTS = st.sampled_from(["", "1", "7", "ann", "x" * 100, "ü"])
ANSWERS = st.lists(st.none() | TEXTS, max_size=4).map(tuple)
CONDITIONS = st.one_of(
    st.builds(AnyOf, st.integers(0, 5), st.frozensets(TEXTS, max_size=3)),
    st.builds(GlobOf, st.integers(0, 5), st.sampled_from(["*", "a*", "?"])),
)
NAMESPACES = st.sampled_from(["users", "groups", "us*", "*", "[ug]*", "user?"])
METHODS = st.sampled_from(["get", "get_all", "get*", "*"])


@given(NAMESPACES, METHODS, st.lists(CONDITIONS, max_size=3).map(tuple), ANSWERS)
def test_what_a_drop_means_has_one_of_its_tags(
    namespace: str, method: str, conditions: tuple[AnyOf | GlobOf, ...], texts: tuple[str | None, ...]
) -> None:
    pattern = KeyPattern(f"{namespace}:{method}", namespace, method, ())
    selection = Selection(conditions)
    moved = TAGS.of_drop(pattern, selection)
    for known in ("users", "groups"):
        for name in ("get", "get_all"):
            if pattern.names(known, name) and selection.matches(texts):
                assert moved & set(TAGS.of_answer(known, name, texts))


def test_a_drop_by_an_argument_leaves_other_arguments_alone() -> None:
    moved = TAGS.of_drop(KeyPattern.parse("users:get:7"), Selection((AnyOf(0, frozenset({"7"})),)))
    assert moved & set(TAGS.of_answer("users", "get", ("7",)))
    for other in (("8",), ("77",), ("", "7")):
        assert not moved & set(TAGS.of_answer("users", "get", other))
    assert not moved & set(TAGS.of_answer("users", "get_all", ("7",)))
    assert not moved & set(TAGS.of_answer("groups", "get", ("7",)))


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
def test_no_two_names_are_the_same_unless_they_say_the_same(one: list[str], other: list[str]) -> None:
    assert (TAGS.named(*one) == TAGS.named(*other)) is (one == other)


def test_a_name_tells_no_argument_and_is_another_one_with_another_secret() -> None:
    name = TAGS.named("argument", "users", "get", "0", "carol")
    assert "carol" not in name
    assert name != Tags("{t}", b"another secret..").named("argument", "users", "get", "0", "carol")


def test_of_very_many_arguments_the_whole_method_is_meant() -> None:
    many = frozenset(map(str, range(1_000)))
    moved = TAGS.of_drop(KeyPattern.parse("users:get:{ids}"), Selection((AnyOf(0, many),)))
    assert moved == {TAGS.named("method", "users", "get")}
