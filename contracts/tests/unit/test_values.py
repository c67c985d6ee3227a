"""Numbers, accounts, instants and ids."""

from datetime import UTC, datetime, timedelta, timezone
from threading import Thread
from uuid import RFC_4122, UUID

import phonenumbers
import pytest
from pydantic import TypeAdapter, ValidationError

from didflow_contracts.accounts import AccountPath, is_account_path, is_within
from didflow_contracts.ids import derived_id, uuid7
from didflow_contracts.instants import parse_instant
from didflow_contracts.numbers import E164, country_of, is_valid

NUMBER: TypeAdapter[str] = TypeAdapter(E164)
PATH: TypeAdapter[str] = TypeAdapter(AccountPath)


def fits(kind: TypeAdapter[str], text: str) -> bool:
    try:
        kind.validate_python(text)
    except ValidationError:
        return False
    return True


def example(country: str) -> str:
    number = phonenumbers.example_number(country)
    assert number is not None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize(
    "text", ["3532212345", "+03532212345", "+353 22 12345", "+123456", "+" + "1" * 16, ""]
)
def test_a_number_must_have_e164_form(text: str) -> None:
    """It has a plus sign, no leading zero and 7 to 15 digits."""
    assert not fits(NUMBER, text)
    assert fits(NUMBER, "+3532212345")


@pytest.mark.parametrize("country", ["IE", "DE", "US", "CA", "GB", "KZ", "BR"])
def test_the_country_is_derived_from_the_number(country: str) -> None:
    """This works for countries that share a calling code, too."""
    assert country_of(example(country)) == country
    assert is_valid(example(country))


def test_a_number_without_a_country_has_none() -> None:
    """Non-geographic, unknown and unparsable numbers have no country."""
    assert [country_of(number) for number in ("+80012345678", "+9991234567", "no number")] == [None] * 3
    assert is_valid("+80012345678")
    assert not is_valid("+3531")
    assert not is_valid("no number")


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "A", "a_b", "ä", "a" * 64, "a b", "a" + "/a" * 16])
def test_an_account_path_has_lower_case_segments(path: str) -> None:
    """Segments are separated by single slashes and have at most 63 characters. There are at most 16."""
    longest, deepest = "master/acme-2/" + "a" * 63, "a" + "/a" * 15
    assert not fits(PATH, path)
    assert fits(PATH, longest)
    assert fits(PATH, deepest)
    assert is_account_path(deepest)
    assert not is_account_path(path)
    assert is_account_path(longest)
    assert not is_account_path(f"{longest}\n")


def test_only_whole_segments_make_an_ancestor() -> None:
    """A name that begins alike is another account."""
    assert is_within("master/acme", "master/acme")
    assert is_within("master/acme/shop", "master/acme")
    assert not is_within("master/acme-two", "master/acme")
    assert not is_within("master", "master/acme")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T10:00:00+01:00",
        "2026-03-02T09:00:00Z",
        "2026-03-02t09:00:00z",
        "2026-03-02T09:00:00.000000001Z",
    ],
)
def test_instants_are_read_as_utc(text: str) -> None:
    """Any offset, upper and lower case and up to nine digits of a second are read."""
    assert parse_instant(text) == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02T09:00:00",
        "2026-03-02",
        "2026-W10-1T09:00:00Z",
        "20260302T090000Z",
        "2026-02-30T09:00:00Z",
        "2026-03-02T09:00:60Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        1_772_442_000,
        datetime(2026, 3, 2),  # noqa: DTZ001 - the missing zone is what is tried
        None,
    ],
)
def test_a_value_that_is_not_an_instant_is_refused(value: object) -> None:
    """It has no offset, is no calendar date, lies outside the years 1 to 9999, or is not RFC 3339."""
    with pytest.raises(ValueError, match=r"instant|day|second|month|range"):
        parse_instant(value)


def test_an_aware_datetime_is_converted_to_utc() -> None:
    """Publishers may use any time zone."""
    noon = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=3)))
    assert parse_instant(noon).hour == 9


def test_new_ids_increase_and_are_version_7() -> None:
    """Ten thousand new ids are distinct, sorted, and contain the present time."""
    ids = [uuid7() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {(made.version, made.variant) for made in ids} == {(7, RFC_4122)}
    now_ms = datetime.now(UTC).timestamp() * 1000
    assert abs((ids[-1].int >> 80) - now_ms) < 60_000


def test_new_ids_are_distinct_across_threads() -> None:
    """Threads never get the same id."""
    made: list[UUID] = []
    threads = [Thread(target=lambda: made.extend(uuid7() for _ in range(2_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8_000


def test_derived_ids_never_change() -> None:
    """Retries rely on the same id in every release."""
    assert derived_id("master/acme", "/v1/purchases", "key-1") == UUID("93ecd47b-02a9-5514-b323-5d4febd5e7d1")


def test_derived_ids_keep_parts_apart() -> None:
    """The borders between the parts count. A UUID counts as its text."""
    assert derived_id("ab", "c") != derived_id("a", "bc") != derived_id("abc")
    some = uuid7()
    assert derived_id(some) == derived_id(str(some))


def test_a_uuid_class_of_a_driver_gives_the_same_derived_id() -> None:
    """Database drivers have UUID classes of their own."""

    class DriversUUID(UUID):
        """What a driver makes of a uuid column."""

    some = uuid7()
    assert derived_id("ledger", DriversUUID(int=some.int)) == derived_id("ledger", some)


@pytest.mark.parametrize("number", ["+4402079460000", "+540111512345678"])
def test_a_number_has_one_spelling(number: str) -> None:
    """A number with a trunk prefix is not valid, so it cannot be sold a second time."""
    assert not is_valid(number)


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
def test_a_number_is_valid_if_the_numbering_plan_contains_it(code: int) -> None:
    """This holds for countries with a calling code of their own and for countries that share one."""
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        found = phonenumbers.example_number(region) or phonenumbers.example_number_for_non_geo_entity(code)
        assert found is not None
        whole = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
        for number in (whole, whole[:-1], whole[:-3] + "000", whole[:-4] + "9999"):
            parsed = phonenumbers.parse(number)
            if phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == number:
                assert is_valid(number) == phonenumbers.is_valid_number(parsed)
