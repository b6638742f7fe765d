"""What ``secret:`` promises: the value stands in no key, text or event, and the cache works all the same."""

from __future__ import annotations

import inspect
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache.freezing import Unfreezable, freeze
from wats_accel.cache.keys import KeyMaker, KeyRules
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.cache.sealed import Sealed
from wats_accel.cache.sealing import Sealer
from wats_accel.cache.texts import readable
from wats_accel.errors import ConfigError, TargetError
from wats_accel.events import Hit, Invalidated, Miss, Stored

CANARY = "hunter2-canary"


def sealer() -> Sealer:
    return Sealer(ScopeNumbers().of_instance)


def maker(function, *, is_exact=True, include=(), **names):
    rules = KeyRules(include=tuple(include), **{kind: frozenset(given) for kind, given in names.items()})
    signature = inspect.signature(function)
    return KeyMaker(signature, has_instance=False, rules=rules, scopes=ScopeNumbers(), is_exact=is_exact)


def session_of(token, kind="web", /, *more, **named):
    pass


def plain(user, token="none"):
    pass


# -- sealing ---------------------------------------------------------------------------------------------


class Colour(Enum):
    RED = 1
    BLUE = 2


class Text(str):
    __slots__ = ()


_SCALARS = [
    None, True, False, 0, 1, -1, 2**2_000, 1.0, 0.0, -0.0, float("nan"), "", "1", "True", b"1", "\ud800",
    Text("1"), 1j, Decimal(1), Decimal("1.0"), Fraction(1), date(2024, 1, 1), datetime(2024, 1, 1),
    datetime(2024, 1, 1, tzinfo=timezone.utc), timedelta(1), UUID(int=1), ..., NotImplemented, int, str,
    Colour.RED, Colour.BLUE,
]  # fmt: skip
_VALUES = st.recursive(
    st.sampled_from(_SCALARS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.sets(st.sampled_from([0, 1, "1", b"1", None]), max_size=3)
        | st.dictionaries(st.sampled_from([0, "0", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(one=_VALUES, other=_VALUES)
def test_two_values_have_one_seal_exactly_when_they_have_one_key(one, other):
    ours = sealer()
    assert (ours.seal(one) == ours.seal(other)) == (freeze(one) == freeze(other))


def test_a_number_with_more_digits_than_python_spells_has_a_seal():
    ours = sealer()
    assert ours.seal(1 << 99_999) == ours.seal(1 << 99_999) != ours.seal(1 << 99_998)


@pytest.mark.parametrize("one", range(len(_SCALARS)))
def test_types_count(one):
    ours = sealer()
    seals = [ours.seal(value) for value in _SCALARS]
    assert [number for number, seal in enumerate(seals) if seal == seals[one]] == [one]


def test_the_seal_of_a_value_is_another_one_for_each_sealer():
    assert sealer().seal(CANARY) != sealer().seal(CANARY)


def test_a_class_that_came_to_the_address_of_another_is_another():
    ours, seen = sealer(), set()
    for _ in range(50):
        seen.add(ours.seal(type("Same", (), {})))
    assert len(seen) == 50


def test_a_seal_tells_nothing():
    seal = sealer().seal(CANARY)
    assert repr(seal) == str(seal) == readable(seal) == "***"
    assert seal != CANARY


class Foreign:
    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return self.value == other.value

    def __hash__(self):
        return 1


@pytest.mark.parametrize("value", [object(), Foreign(CANARY), [Foreign(CANARY)], lambda: None, iter(())])
def test_what_cannot_be_hashed_well_is_not_sealed_and_not_told(value):
    with pytest.raises(Unfreezable) as caught:
        sealer().seal(value)
    assert CANARY not in str(caught.value)


# -- keys ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "call"),
    [
        ({"secret": ["token"]}, ((1, CANARY), {})),
        ({"secret": ["token"]}, ((1,), {"token": CANARY})),
        ({"secret": ["token"], "fold": ["token"]}, ((1, CANARY), {})),
        ({"secret": ["token", "user"]}, ((CANARY,), {})),
        ({"secret": ["token"], "exclude": ["token"]}, ((1, CANARY), {})),
    ],
    ids=str,
)
def test_a_secret_stands_neither_in_the_key_nor_in_any_text(rules, call):
    keys = maker(plain, **rules)
    told = repr((keys.key(*call), keys.texts(*call), keys.label("ns:plain", *call)))
    assert CANARY not in told
    assert keys.key(*call) == keys.key(*call)


@pytest.mark.parametrize(
    ("secret", "call"),
    [
        ("token", ((CANARY,), {})),
        ("more", (("t", "web", CANARY), {})),
        ("named", (("t",), {"password": CANARY})),
        ("password", (("t",), {"password": CANARY})),
    ],
)
def test_what_is_caught_by_a_variadic_parameter_can_be_secret(secret, call):
    keys = maker(session_of, secret=[secret])
    assert CANARY not in repr((keys.key(*call), keys.texts(*call), keys.label("ns:of", *call)))
    assert "***" in keys.label("ns:of", *call)


def test_of_what_kwargs_catches_only_the_secret_is_hidden():
    keys = maker(session_of, secret=["password"])
    call = ("t",), {"user": "ann", "password": CANARY}
    assert keys.label("ns:of", *call) == "ns:of:t:web:user=ann:password=***"
    assert keys.texts(*call) == ("t", "web")


def test_a_path_of_a_secret_is_secret():
    keys = maker(plain, secret=["token"], include=["token.value", "user.id"])
    call = SimpleNamespace(id=7), SimpleNamespace(value=CANARY)
    with pytest.raises(Unfreezable):  # these objects have no identity themselves
        keys.key(call, {})
    assert [keys.is_secret(position) for position in range(5)] == [False, True, True, False, False]


def test_types_and_case_count_in_the_key_of_a_secret_unless_folded():
    keys = maker(plain, secret=["token"])
    seen = {keys.key((1, value), {}) for value in (1, "1", True, 1.0, "a", "A")}
    assert len(seen) == 6
    folding = maker(plain, secret=["token"], fold=["token"])
    assert folding.key((1, "Ann"), {}) == folding.key((1, "ANN"), {}) != folding.key((1, "Bob"), {})


def test_the_text_of_a_secret_matches_anything():
    keys = maker(plain, secret=["token"])
    assert keys.texts((1, CANARY), {}) == ("1", None)


def test_a_secret_that_the_method_does_not_have_is_refused_with_the_nearest():
    with pytest.raises(TargetError, match=r"no parameter 'tokn'.*'token'"):
        maker(plain, secret=["tokn"])


def test_behind_a_decorator_no_secret_can_be_told_from_another_argument():
    with pytest.raises(TargetError, match="secret"):
        maker(plain, secret=["token"], is_exact=False)


def test_methods_without_secrets_make_keys_as_ever():
    assert maker(plain).key((1, "a"), {}) == (0, 1, "a")
    assert not any(isinstance(part, Sealed) for part in maker(plain).key((1, "a"), {}))


# -- an application --------------------------------------------------------------------------------------


class Repository:
    url = "one"

    def __init__(self):
        self.calls = 0

    def session_of(self, token, site=0):
        self.calls += 1
        return f"session {self.calls}"

    def log_out(self, token):
        return True


@pytest.fixture
def accelerated_sessions(app):
    app.add(type("Repository", (Repository,), dict(vars(Repository))))
    events = []

    def of(secret="token", pattern="users:session_of:{token}"):
        return app.accelerated(
            {"session_of": {"namespace": "users", "secret": secret}},
            {"log_out": [pattern]},
            scope="self.url",
            listen=[(kind, events.append) for kind in (Hit, Miss, Stored, Invalidated)],
        )

    return app, of, events


def test_a_secret_argument_hits_and_shows_stars(accelerated_sessions):
    app, of, events = accelerated_sessions
    with of():
        repository = app.module.Repository()
        assert repository.session_of(CANARY) == repository.session_of(token=CANARY) == "session 1"
        assert repository.session_of("other") == "session 2"
    assert CANARY not in repr(events)
    assert {event.key for event in events if not isinstance(event, Invalidated)} == {"users:session_of:***:0"}


@pytest.mark.parametrize(
    "pattern", ["users:session_of:{token}", "users:*:{token}", f"users:session_of:{CANARY}"], ids=str
)
def test_a_write_drops_all_secrets_and_the_line_shows_stars(accelerated_sessions, pattern):
    app, of, events = accelerated_sessions
    with of(pattern=pattern):
        repository = app.module.Repository()
        repository.session_of(CANARY)
        repository.session_of("other")
        repository.log_out(CANARY)
        assert repository.session_of(CANARY) == "session 3"
    [dropped] = [event for event in events if isinstance(event, Invalidated)]
    assert (dropped.pattern.endswith(":***"), dropped.count) == (True, 2)


def test_a_write_argument_with_the_name_of_a_secret_is_hidden_wherever_it_lands(accelerated_sessions):
    app, of, events = accelerated_sessions
    with of(pattern="users:session_of:*:{token}"):
        app.module.Repository().log_out(CANARY)
    assert [event.pattern for event in events] == ["users:session_of:*:***"]


def test_a_pattern_asked_for_by_hand_shows_no_secret(accelerated_sessions):
    app, of, events = accelerated_sessions
    with of() as accelerator:
        app.module.Repository().session_of(CANARY)
        assert accelerator.invalidate(f"users:session_of:{CANARY}") == 1
        assert CANARY not in str(accelerator.explain("Repository.session_of"))
        assert accelerator.explain("Repository.session_of").cached["secret"] == "token"
    assert CANARY not in repr(events)


def test_a_secret_without_value_identity_goes_past_the_cache(accelerated_sessions):
    app, of, _ = accelerated_sessions
    with of() as accelerator:
        repository = app.module.Repository()
        assert [repository.session_of(Foreign(CANARY)) for _ in range(2)] == ["session 1", "session 2"]
        assert accelerator.stats().total.bypassed == {"argument_without_value_identity": 2}


def test_a_misspelt_secret_is_a_problem_and_nothing_is_cached(accelerated_sessions):
    _, of, _ = accelerated_sessions
    with pytest.raises(ConfigError, match="no parameter 'tokn'"), of(secret="tokn"):
        pass
