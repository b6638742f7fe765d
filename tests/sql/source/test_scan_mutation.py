"""Methods that change what they are given."""

from __future__ import annotations

import ast
import textwrap

import pytest

from wats_accel.sql.source.mutation import changed_parameters


def changed(body, signature="self, a, b"):
    return changed_parameters(
        ast.parse(f"def run({signature}):\n" + textwrap.indent(textwrap.dedent(body), "    ")).body[0]
    )


@pytest.mark.parametrize(
    "body",
    [
        "a.append(1)",
        "a[0] = 1",
        "a.name = 1",
        "a['x']['y'] = 1",
        "a.items.clear()",
        "del a[0]",
        "a['n'] += 1",
        "a += [1]",
        "c = a\nc.pop()",
        "c = a['rows']\nc.sort()",
        "for row in a:\n    row['x'] = 1",
        "for n, row in enumerate(a):\n    row.update(b)",
        "c = a or []\nc.append(1)",
        "c = b if b else a\nc.append(1)",
        "import random\nrandom.shuffle(a)",
        "setattr(a, 'x', 1)",
        "with b:\n    if b:\n        a.extend(b)",
        "(c := a).append(1)",
        "x = [a.pop() for _ in b]",
        "a[:] = []",
        "a.x, y = 1, 2",
    ],
)
def test_a_change_is_seen(body):
    assert "a" in changed(body)


@pytest.mark.parametrize(
    "body",
    [
        "a = 1",
        "a = list(a)\na.append(1)",
        "c = dict(a)\nc['x'] = 1",
        "c = a[:]\nc.append(1)",
        "c = [*a]\nc.append(1)",
        "self.a = a",
        "self.rows.append(a)",
        "return sorted(a), a.get('x'), a['y']",
        "a += 1",
        "c = {}\nc[a] = 1",
        "c = []\nc.append(a)",
    ],
)
def test_what_is_no_change_of_an_argument(body):
    assert not changed(body)


def test_texts_and_numbers_cannot_be_changed():
    assert not changed("a += [1]", "self, a: tuple")
    assert changed("a += [1]", "self, a: list") == {"a"}


def test_what_is_collected_for_the_method_is_its_own():
    assert not changed("kwargs.pop('x')\nself.x = 1", "self, *args, **kwargs")
