"""Every value of the contract has bounds, and what is computed from allowed values stays within them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from didflow_contracts import schemas
from didflow_contracts.bounds import AMOUNT, BIRTH_DATE, BOUNDS, DAY, DOCUMENT_DATE, INSTANT, NAME, TEXT
from didflow_contracts.envelope import BadEvent, decode
from didflow_contracts.events import EVENT_TYPES, DidPurchased, ResultReported
from didflow_contracts.instants import BirthDate, Day, DocumentDate, later, months_after, start_of
from didflow_contracts.money import Money

instants = st.datetimes(
    INSTANT.least.replace(tzinfo=None), INSTANT.most.replace(tzinfo=None), timezones=st.just(UTC)
)


def unbounded(schema: Any, path: str) -> Iterator[str]:
    """Yield the places of a schema at which a value may have any size."""
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if kind == "string" and not {"maxLength", "pattern", "enum", "const", "format"} & set(schema):
        yield path
    if kind in ("integer", "number") and not {"maximum", "enum", "const"} & set(schema):
        yield path
    if kind == "array" and "maxItems" not in schema:
        yield path
    if schema.get("format") in ("date", "date-time") and "formatMaximum" not in schema:
        yield path
    for name, inner in (schema.get("properties") or {}).items():
        yield from unbounded(inner, f"{path}.{name}")
    for option in [*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")]:
        yield from unbounded(option, path)


@pytest.mark.parametrize("topic", schemas.current())
def test_every_field_of_every_event_has_bounds(topic: str) -> None:
    """Texts and lists have a length, numbers a range, instants a first and a last value."""
    definitions = schemas.current()[topic]["$defs"]
    assert [place for name, each in definitions.items() for place in unbounded(each, name)] == []


@pytest.mark.parametrize("bounds", BOUNDS, ids=lambda each: each.of)
def test_both_ends_of_a_range_are_allowed(bounds: Any) -> None:
    """What lies outside is moved to the nearest end."""
    assert bounds.least in bounds
    assert bounds.most in bounds
    assert bounds.nearest(bounds.least) == bounds.least < bounds.nearest(bounds.most) == bounds.most


def decoded(purchase: dict[str, Any], **data: Any) -> DidPurchased:
    event = decode(orjson.dumps(purchase | {"data": purchase["data"] | data}), [], types=EVENT_TYPES)
    assert isinstance(event.data, DidPurchased)
    return event.data


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "2200-01-01T02:00:00+02:00"])
def test_the_first_and_the_last_instant_are_taken(purchase: dict[str, Any], at: str) -> None:
    """They are the same for the time of an event and for its data."""
    assert decoded(purchase | {"time": at}, purchased_at=at).purchased_at in (INSTANT.least, INSTANT.most)


@pytest.mark.parametrize(
    "at",
    [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1969-12-31T23:59:59.999999Z",
        "2200-01-01T00:00:00.000001Z",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_an_instant_outside_the_bounds_is_invalid_data(purchase: dict[str, Any], at: str) -> None:
    """This includes years that cannot be represented."""
    with pytest.raises(BadEvent, match="purchased_at: Use an instant from 1970") as caught:
        decoded(purchase, purchased_at=at)
    assert caught.value.code == "invalid_data"
    with pytest.raises(BadEvent, match="time: Use an instant from 1970") as caught:
        decoded(purchase | {"time": at})
    assert caught.value.code == "invalid_data"


@given(instants, st.timedeltas())
def test_later_never_raises_and_never_leaves_the_bounds(at: datetime, by: timedelta) -> None:
    """Any length of time can be added to any instant."""
    assert later(at, by) in INSTANT
    if abs(by) < timedelta(days=1) and INSTANT.least + timedelta(1) < at < INSTANT.most - timedelta(1):
        assert later(at, by) == at + by


@given(instants, st.integers(0, 100_000))
def test_months_after_never_raises_and_never_leaves_the_bounds(at: datetime, months: int) -> None:
    """A term that would end after the last instant ends there."""
    assert at <= months_after(at, months) <= INSTANT.most


@given(st.dates())
def test_every_day_has_a_beginning(day: date) -> None:
    """The year 9999 begins at the last instant, the year 1 at the first."""
    assert start_of(day) in INSTANT


@pytest.mark.parametrize(
    ("kind", "bounds"), [(Day, DAY), (BirthDate, BIRTH_DATE), (DocumentDate, DOCUMENT_DATE)]
)
def test_a_day_is_a_text_within_its_bounds(kind: Any, bounds: Any) -> None:
    """Numbers, instants, times and other forms of a date are refused."""
    day: TypeAdapter[date] = TypeAdapter(kind)
    assert day.validate_python(str(bounds.least)) == bounds.least
    assert day.validate_python(str(bounds.most)) == bounds.most
    wrong = [0, 1.5, True, "1772442000", "2026-03-02T00:00:00", "2026-02-30", "20260302", "2026-W10-1", ""]
    for value in [*wrong, "0000-01-01", "0001-01-01", "1899-12-31", "10000-01-01", datetime.now(UTC), None]:
        with pytest.raises(ValidationError):
            day.validate_python(value)


def test_a_leap_day_is_a_day() -> None:
    """Only in a leap year."""
    day: TypeAdapter[date] = TypeAdapter(DocumentDate)
    assert day.validate_python("2028-02-29") == date(2028, 2, 29)
    with pytest.raises(ValidationError, match=r"Use a date, such as"):
        day.validate_python("2100-02-29")


def test_the_pattern_of_amounts_has_the_bounds_of_the_table() -> None:
    """The JSON Schema allows what the models allow."""
    most = f"{AMOUNT.most:f}"
    assert Money.model_validate({"amount": most, "currency": "EUR"}).amount == AMOUNT.most
    assert Money.model_validate({"amount": f"-{most}.000", "currency": "EUR"}).amount == AMOUNT.least
    for amount in (f"{most}.01", f"-{most}.000000001", "9" * 15, "9" * 40):
        with pytest.raises(ValidationError, match="Use an amount from") as caught:
            Money.model_validate({"amount": amount, "currency": "EUR"})
        assert caught.value.errors()[0]["type"] == "out_of_range"


@pytest.mark.parametrize(
    ("recurring", "months", "fits"),
    [
        ("1000000000", 1, True),
        ("83333333.333", 12, True),
        ("83333333.34", 12, False),
        ("999999999.99", 3, False),
    ],
)
def test_a_price_is_checked_after_multiplication(
    purchase: dict[str, Any], recurring: str, months: int, fits: bool
) -> None:
    """A period of n months costs n times the recurring amount. That must be an allowed amount, too."""
    price = {
        "setup": {"amount": "0", "currency": "EUR"},
        "recurring": {"amount": recurring, "currency": "EUR"},
    }
    if fits:
        found = decoded(purchase, price=price, billing_period=months).price
        assert found is not None
        assert Decimal(0) < found.of_period(months).amount <= AMOUNT.most  # type: ignore[arg-type]
        return
    with pytest.raises(
        BadEvent, match=r"^invalid_data: price: .* times recurring must be at most 1,000,000,000"
    ):
        decoded(purchase, price=price, billing_period=months)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("billing_cycles", True),
        ("billing_cycles", 1.0),
        ("billing_cycles", "1"),
        ("billing_period", True),
        ("billing_period", 1.0),
        ("billing_period", "1"),
        ("purchased_at", 1_772_442_000),
        ("purchased_at", "2026-03-02"),
        ("order_id", 417),
        ("number", 3532212345),
        ("account", ["master"]),
        ("features", "voice_in"),
        ("did_id", 1),
        ("order_id", "x" * (NAME.most + 1)),
    ],
)
def test_a_value_of_another_type_or_length_is_invalid_data(
    purchase: dict[str, Any], field: str, value: object
) -> None:
    """No flag is a number, no number is a text or an instant."""
    with pytest.raises(BadEvent) as caught:
        decoded(purchase, **{field: value})
    assert caught.value.code == "invalid_data"
    assert field in caught.value.reason


@pytest.mark.parametrize("seconds", [-1, 2**31, 10**30, 1.0, True, "5"])
def test_a_wait_that_no_column_holds_is_refused(seconds: object) -> None:
    """The highest wait is an integer of four bytes."""
    fields = {
        "did_id": "0190a5b6-7c00-7000-8000-000000000001",
        "number": "+35319609036",
        "account": "master",
        "command_id": "0190a5b6-7c00-7000-8000-000000000002",
        "outcome": "failed",
    }
    assert ResultReported.model_validate(fields | {"retry_after_s": 2**31 - 1, "message": "x" * TEXT.most})
    with pytest.raises(ValidationError):
        ResultReported.model_validate(fields | {"retry_after_s": seconds})


def shown(value: object) -> str:
    """Return an end of a range as the README shows it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value) if isinstance(value, date) else f"{value:,}"


def test_the_readme_has_the_table_of_bounds() -> None:
    """Whoever writes events or calls the services reads the bounds there."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    expected = [f"| {each.of} | {shown(each.least)} | {shown(each.most)} |" for each in BOUNDS]
    begin = readme.index("| what | least | most |")
    assert readme[begin:].splitlines()[2 : 2 + len(expected)] == expected
