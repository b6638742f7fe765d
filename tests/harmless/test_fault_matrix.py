"""Whatever breaks inside, the application gets what it would have got without us, and answers stay fresh."""

from __future__ import annotations

import pytest
from matrix import Matrix
from page import block, block_on_page
from table import LIES, Combination, passed, share, striking

from wats_accel.testing import seams

FAMILIES = list(dict.fromkeys(name.partition(".")[0] for name in seams()))


def differences(matrix: Matrix, combinations: list[Combination]) -> dict[str, list[str]]:
    """What differs, by combination."""
    found = {str(one): matrix.run(one.seam, one.fault, one.situation, one.mode) for one in combinations}
    return {name: known.differences for name, known in found.items() if known.differences}


def chosen(family: str, *, shared: bool, whole: bool) -> list[Combination]:
    """Combinations of a family of seams, where answers are shared or where they are not."""
    known = [one for one in striking() if one.family == family] if whole else share(family)
    return [one for one in known if one.mode.shared is shared]


@pytest.mark.soak
@pytest.mark.parametrize("family", FAMILIES)
def test_a_part_that_breaks_is_not_noticed(matrix: Matrix, family: str, soak: bool) -> None:
    assert differences(matrix, chosen(family, shared=False, whole=soak)) == {}


@pytest.mark.soak
@pytest.mark.parametrize("family", FAMILIES)
def test_a_part_that_breaks_is_not_noticed_where_answers_are_shared(
    shared_matrix: Matrix, family: str, soak: bool
) -> None:
    assert differences(shared_matrix, chosen(family, shared=True, whole=soak)) == {}


def test_every_seam_is_passed_in_some_situation() -> None:
    assert {seam: bool(places) for seam, places in passed().items()} == dict.fromkeys(seams(), True)


def test_what_is_left_out_is_in_the_table_and_has_a_reason() -> None:
    assert {seam for seam, _ in LIES} <= set(seams())
    assert all(LIES.values())


def test_the_page_tells_the_size_and_result_of_this_very_matrix() -> None:
    assert block_on_page() == block()
