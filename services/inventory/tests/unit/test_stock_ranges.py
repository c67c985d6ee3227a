"""Ranges of numbers, as callers write them."""

import pytest

from didflow_inventory.domain.stock.ranges import NumberRange, WrongRange, expanded, read_ranges


@pytest.mark.parametrize(
    ("text", "prefix", "first", "count", "last"),
    [
        ("111-222", "+35319600", "+35319600111", 112, "+35319600222"),
        ("111 - 222", "35319600", "+35319600111", 112, "+35319600222"),
        ("+35319609000-+35319609099", "", "+35319609000", 100, "+35319609099"),
        ("35319609000-35319609000", "", "+35319609000", 1, "+35319609000"),
        ("098-101", "+35319609", "+35319609098", 4, "+35319609101"),
        ("+35319609036", "", "+35319609036", 1, "+35319609036"),
        ("0000-9999", "+3531960", "+35319600000", 10_000, "+35319609999"),
    ],
)
def test_a_range_has_all_numbers_from_the_lowest_to_the_highest(
    text: str, prefix: str, first: str, count: int, last: str
) -> None:
    """Both ends are included, and leading zeros stay."""
    numbers = list(expanded(read_ranges([text], prefix)))

    assert (numbers[0], len(numbers), numbers[-1]) == (first, count, last)


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["222-111"], "range_reversed"),
        (["11-222"], "range_width_differs"),
        (["+3531960900-+35319609099"], "range_width_differs"),
        (["00000-10000"], "too_many"),
        (["0000-9999", "10000"], "too_many"),
        (["000000000000000-999999999999999"], "too_many"),
    ],
)
def test_a_range_that_cannot_be_expanded_has_a_code(texts: list[str], code: str) -> None:
    """Nothing is expanded before the count is known."""
    with pytest.raises(WrongRange) as wrong:
        read_ranges(texts, "+3531960")
    assert wrong.value.code == code


@pytest.mark.parametrize("text", ["", "-", "abc", "1-2-3", "+353 1 960", "\u0661\u0661\u0661"])
def test_what_is_neither_a_number_nor_a_range_stays_as_it_is(text: str) -> None:
    """It is refused alone, with the other numbers done."""
    assert read_ranges([text, "+35319609036"]) == (text.strip(), NumberRange("+35319609036", 1))
