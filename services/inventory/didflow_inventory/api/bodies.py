"""The bodies and the query strings that callers send. A field that a body does not have is refused."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from didflow_chassis.http import FieldError, PageBody, Problem
from didflow_chassis.tenancy import in_subtree
from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import BATCH, ITEMS, NUMBER_LIST
from didflow_contracts.events import DidPortingStarted, DidPurchased
from didflow_contracts.ids import uuid7
from didflow_contracts.instants import Instant
from didflow_contracts.names import DidName, DidNames, parse_number
from didflow_contracts.numbers import CountryCode
from didflow_contracts.vocabulary import AdditionalService, Flag, Name, ServiceState, Status
from didflow_inventory.domain.accounts.account import AccountKind, kind_of_new
from didflow_inventory.domain.my_numbers.listing import Filter
from didflow_inventory.store.tables import dids, history

_NOT_A_DIGIT: Final = re.compile(r"[^0-9]", re.ASCII)


class Body(BaseModel):
    """The body of a request. A field that it does not have is refused."""

    model_config = ConfigDict(extra="forbid")


class PurchaseBody(DidPurchased):
    """A purchase over HTTP: the data of `did.purchased`. `did_id` and `purchased_at` can be left out.

    With `acquired` ported_in, it completes the porting with this `did_id`.
    """

    model_config = ConfigDict(extra="forbid")

    did_id: UUID = Field(default_factory=uuid7, description="The id of the DID; a new id if absent.")
    acquired: Literal["purchased", "external", "ported_in"] = "purchased"

    def data(self) -> DidPurchased:
        """Return the data of the event."""
        return DidPurchased.model_validate(self.model_dump())


class PortingBody(DidPortingStarted):
    """The start of a porting over HTTP: the data of `did.porting_started`. `did_id` can be left out."""

    model_config = ConfigDict(extra="forbid")

    did_id: UUID = Field(default_factory=uuid7, description="The id of the DID; a new id if absent.")
    acquired: Literal["ported_in"] = "ported_in"

    def data(self) -> DidPortingStarted:
        """Return the data of the event."""
        return DidPortingStarted.model_validate(self.model_dump())


class AccountBody(Body):
    """A new account."""

    path: AccountPath
    name: Name = Field(description="Name of the account, for people.")
    kind: AccountKind | None = Field(
        default=None,
        description="`reseller` (the default) or `enterprise`, which has no accounts below it. A root is a "
        "`master_reseller`.",
    )
    default_carrier: Name | None = Field(
        default=None,
        description="Carrier of its numbers, one that serves it. If absent, that of the nearest account above that "
        "has one.",
    )
    default_sms_carrier: Name | None = Field(
        default=None, description="The same for messages; if absent, `default_carrier` serves both."
    )
    allow_external_numbers: Flag = Field(
        default=False,
        description="Whether its administrator may add numbers that the reseller did not provide.",
    )
    may_set_prices: Flag = Field(
        default=False,
        description="Whether its callers may name the price of a purchase. Only a caller that may name prices "
        "itself can allow this.",
    )

    def properties(self) -> dict[str, Any]:
        """Return all fields but the path. Raises Problem `input_invalid` for a kind that the account cannot have."""
        kind = kind_of_new(self.path, self.kind)
        if kind is None:
            raise _invalid("kind", "A root is a master_reseller, and no other account is one.")
        return self.model_dump(exclude={"path"}) | {"kind": kind}


class AccountChangeBody(Body):
    """The fields of an account to change. Fields that are left out stay as they are."""

    name: Name = Field(default="", description="Name of the account, for people.")
    default_carrier: Name | None = Field(default=None, description="Null for that of the account above.")
    default_sms_carrier: Name | None = Field(
        default=None, description="Null for the same as `default_carrier`."
    )
    allow_external_numbers: Flag = Field(default=False, description="Only in accounts below your own.")
    may_set_prices: Flag = Field(
        default=False, description="Only in accounts below your own, if you may name prices yourself."
    )

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class AssignEndUserBody(Body):
    """The end-user details for one or more DIDs."""

    dids: DidNames = Field(description="1 to 1,000 ids or numbers.")
    identity_id: UUID
    address_id: UUID | None = None
    document_ids: list[UUID] = Field(default=[], max_length=ITEMS.most)


class DidConditions(BaseModel):
    """The conditions of My Numbers besides `numbers`. A DID must match all that are given."""

    filter: Filter = Field(default="all", description="A quick filter.")
    number_contains: Name | None = Field(
        default=None, description="Consecutive digits anywhere in the number."
    )
    description: Name | None = Field(
        default=None, description="A part of the description. Upper and lower case are the same."
    )
    country: CountryCode | None = None
    region: Name | None = None
    account: AccountPath | None = Field(default=None, description="This account and the accounts below it.")
    tag: Name | None = None
    identity_id: UUID | None = None
    carrier: Name | None = None
    service: AdditionalService | None = Field(
        default=None, description="Numbers that support this additional service."
    )
    service_state: ServiceState | None = Field(
        default=None, description="The state of `service`. It needs the parameter `service`."
    )
    status: Status | None = None
    expires_before: Instant | None = None
    expires_after: Instant | None = None

    def named_numbers(self) -> list[str] | None:
        """Return the numbers that are asked for, as the caller wrote them; None for all numbers."""
        return None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Return the conditions besides the quick filter. Raises Problem `too_many` and `input_invalid`."""
        yield from self._number_conditions()
        names = self.named_numbers()
        if names is not None:
            yield dids.c.number.in_([number for text in _checked(names) if (number := parse_number(text))])
        yield from self._equality_conditions()
        if self.description is not None:
            yield dids.c.description.icontains(self.description, autoescape=True)
        if self.account is not None:
            yield in_subtree(dids.c.account, self.account)
        if self.tag is not None:
            yield dids.c.tags.contains([self.tag])
        if self.expires_before is not None:
            yield dids.c.expires_at < self.expires_before
        if self.expires_after is not None:
            yield dids.c.expires_at >= self.expires_after
        yield from self._service_conditions()

    def _equality_conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        if self.region is not None:
            yield dids.c.shown_region == self.region
        for name in ("country", "identity_id", "carrier", "status"):
            value = getattr(self, name)
            if value is not None:
                yield dids.c[name] == value

    def _number_conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        if self.number_contains is not None:
            yield dids.c.number.contains(digits_of(self.number_contains, field="number_contains"))

    def _service_conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        if self.service is None:
            if self.service_state is not None:
                raise _invalid("service_state", "Give the parameter service as well.")
            return
        yield dids.c.features.contains([self.service])
        if self.service_state is not None:
            state = dids.c.services[self.service]["state"].astext
            yield sa.func.coalesce(state, "not_configured") == self.service_state


class DidQuery(DidConditions):
    """The parameters of My Numbers."""

    numbers: Annotated[str, StringConstraints(max_length=NUMBER_LIST.most)] | None = Field(
        default=None, description="Up to 1,000 numbers, separated by commas."
    )

    def named_numbers(self) -> list[str] | None:
        """Return the numbers between the commas."""
        return None if self.numbers is None else [text for text in self.numbers.split(",") if text.strip()]


class DidSearchBody(DidConditions, PageBody):
    """The parameters of My Numbers in a body."""

    model_config = ConfigDict(extra="forbid")

    numbers: Annotated[list[DidName], Field(json_schema_extra={"maxItems": BATCH.most})] | None = Field(
        default=None, description="Up to 1,000 numbers."
    )

    def named_numbers(self) -> list[str] | None:
        """Return the numbers of the list."""
        return self.numbers


class SummaryQuery(BaseModel):
    """The parameters of the summary."""

    account: AccountPath | None = Field(default=None, description="This account and the accounts below it.")


class AuditLogQuery(BaseModel):
    """The parameters of the audit log. An entry must match all that are given."""

    account: AccountPath | None = Field(default=None, description="This account and the accounts below it.")
    actor: Name | None = Field(default=None, description="Who did it, such as `user:<subject>`.")
    type: Name | None = Field(
        default=None, description="What it was: the type of an event, `http.<command>`, or `timer.<thing>`."
    )
    since: Instant | None = Field(default=None, description="Recorded at this instant or later.")
    until: Instant | None = Field(default=None, description="Recorded before this instant.")

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Return the conditions, without that of the account."""
        if self.actor is not None:
            yield history.c.actor == self.actor
        if self.type is not None:
            yield history.c.type == self.type
        if self.since is not None:
            yield history.c.recorded_at >= self.since
        if self.until is not None:
            yield history.c.recorded_at < self.until


def digits_of(text: str, *, field: str) -> str:
    """Return the digits in a text. Raises Problem `input_invalid` about the field if there are none."""
    digits = _NOT_A_DIGIT.sub("", text)
    if not digits:
        raise _invalid(field, "Give at least one digit.")
    return digits


def _checked(names: list[str]) -> list[str]:
    """Return the numbers. Raises Problem `too_many`."""
    if len(names) > BATCH.most:
        message = f"Give at most {BATCH.most} numbers; there are {len(names)}."
        raise Problem(
            "too_many", message, errors=[FieldError(field="numbers", code="too_many", message=message)]
        )
    return names


def _invalid(field: str, message: str) -> Problem:
    error = FieldError(field=field, code="value_invalid", message=message)
    return Problem("input_invalid", "Some parameters are not valid. See errors.", errors=[error])
