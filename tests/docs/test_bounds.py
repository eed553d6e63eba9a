import pytest

from tests.docs.bounds import (
    AREAS,
    COMMAND,
    NO_LIMITS,
    PAGE,
    REASONS,
    UNSHOWN,
    bounds_of,
    page,
    settings_bounds,
)

ALL = [each for parts in AREAS.values() for part in parts for each in bounds_of(part)]


def test_the_page_is_current():
    assert PAGE.read_text() == page(), f"docs/bounds.md is old: {COMMAND}"


def test_limits_of_every_area_and_of_the_options_are_found():
    assert len(settings_bounds()) >= 10
    assert all(any(bounds_of(part) for part in parts) for parts in AREAS.values())


@pytest.mark.parametrize("bound", [*settings_bounds(), *ALL], ids=lambda bound: f"{bound.file}.{bound.name}")
def test_every_limit_has_a_reason(bound):
    assert bound.reason, "give the constant a docstring that says what it bounds"


def test_every_reason_is_of_a_limit():
    named = {each.name.split(",")[0] for each in ALL}
    named |= {f"{each.file.removesuffix('.py')}.{each.name.split(',')[0]}" for each in ALL}
    assert set(REASONS) <= named, f"no longer there: {set(REASONS) - named}"
    assert named >= UNSHOWN, f"no longer there: {UNSHOWN - named}"
    assert not NO_LIMITS & {each.name for each in ALL}
