"""What callers send: bodies and query strings, strict about what they do not know, and what each asks for."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from didflow_chassis.http import FieldError, Problem, parse_name
from didflow_contracts.accounts import AccountPath
from didflow_contracts.events import DidPurchased
from didflow_contracts.ids import uuid7
from didflow_contracts.instants import Instant
from didflow_contracts.numbers import CountryCode
from didflow_contracts.vocabulary import AdditionalService, Name, ServiceState, Status
from didflow_inventory.domain.status import Filter
from didflow_inventory.store import dids

MAX_NUMBERS: Final = 1_000
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]", re.ASCII)

Words = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]


class PurchaseBody(DidPurchased):
    """A purchase over HTTP: the event's data, with `did_id` and `purchased_at` left to inventory if absent."""

    model_config = ConfigDict(extra="forbid")

    did_id: UUID = Field(default_factory=uuid7, description="The DID's id; a new one if absent.")
    acquired: Literal["purchased", "external"] = "purchased"

    def data(self) -> DidPurchased:
        """Give the event's data."""
        return DidPurchased.model_validate(self.model_dump())


class AccountBody(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid")

    path: AccountPath
    name: Words = Field(description="Its name, for people.")
    default_carrier: Name | None = Field(default=None, description="Carrier of its numbers; else from above.")
    allow_external_numbers: bool = Field(default=False, description="Its administrator may add own numbers.")


class AssignEndUserBody(BaseModel):
    """End-user details for one or many DIDs."""

    model_config = ConfigDict(extra="forbid")

    dids: list[str] = Field(description="1 to 1,000 ids or numbers.")
    identity_id: UUID
    address_id: UUID | None = None
    document_ids: list[UUID] = Field(default=[], max_length=100)


class DidQuery(BaseModel):
    """What My Numbers can be narrowed down by; all that is given must hold."""

    filter: Filter = Field(default="all", description="A quick filter.")
    number_contains: Words | None = Field(default=None, description="Digits in a row anywhere in the number.")
    numbers: Annotated[str, StringConstraints(max_length=40_000)] | None = Field(
        default=None, description="Up to 1,000 numbers, separated by commas."
    )
    description: Words | None = Field(default=None, description="Part of the description, in any case.")
    country: CountryCode | None = None
    region: Words | None = None
    account: AccountPath | None = Field(default=None, description="This account and those below it.")
    tag: Words | None = None
    identity_id: UUID | None = None
    carrier: Words | None = None
    service: AdditionalService | None = Field(default=None, description="Numbers that support this service.")
    service_state: ServiceState | None = Field(default=None, description="And where it is in this state.")
    status: Status | None = None
    expires_before: Instant | None = None
    expires_after: Instant | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Give what must hold besides the quick filter. Raises Problem `too_many`, `input_invalid`."""
        yield from self._of_number()
        yield from self._equal()
        if self.description is not None:
            yield dids.c.description.icontains(self.description, autoescape=True)
        if self.account is not None:
            below = sa.collate(dids.c.account, "C")
            inside = sa.and_(below >= f"{self.account}/", below < f"{self.account}0")
            yield sa.or_(dids.c.account == self.account, inside)
        if self.tag is not None:
            yield dids.c.tags.contains([self.tag])
        if self.expires_before is not None:
            yield dids.c.expires_at < self.expires_before
        if self.expires_after is not None:
            yield dids.c.expires_at >= self.expires_after
        yield from self._of_service()

    def _equal(self) -> Iterator[sa.ColumnElement[bool]]:
        for name in ("country", "region", "identity_id", "carrier", "status"):
            value = getattr(self, name)
            if value is not None:
                yield dids.c[name] == value

    def _of_number(self) -> Iterator[sa.ColumnElement[bool]]:
        if self.number_contains is not None:
            digits = _NOT_A_DIGIT.sub("", self.number_contains)
            if not digits:
                raise _invalid("number_contains", "at least one digit")
            yield dids.c.number.contains(digits)
        if self.numbers is not None:
            asked = [text for text in self.numbers.split(",") if text.strip()]
            if len(asked) > MAX_NUMBERS:
                raise Problem("too_many", f"At most {MAX_NUMBERS} numbers.")
            yield dids.c.number.in_(numbers_among(asked))

    def _of_service(self) -> Iterator[sa.ColumnElement[bool]]:
        if self.service is None:
            if self.service_state is not None:
                raise _invalid("service_state", "only together with service")
            return
        yield dids.c.features.contains([self.service])
        if self.service_state is not None:
            state = dids.c.services[self.service]["state"].astext
            yield sa.func.coalesce(state, "not_configured") == self.service_state


def numbers_among(names: Iterable[str]) -> list[str]:
    """Pick out what has the form of a number; nothing else can be one of ours."""
    return [name for name in map(parse_name, names) if isinstance(name, str) and is_number(name)]


def is_number(text: str) -> bool:
    """Say whether a text has the form of a number."""
    return _E164.fullmatch(text) is not None


def _invalid(field: str, message: str) -> Problem:
    wrong = FieldError(field=field, code="value_invalid", message=message)
    return Problem("input_invalid", "See errors.", errors=[wrong])
