"""The input of the demo: purchases, what people do with them and how each must end, identities and addresses.

A line that is not JSON is intended: it is published unchanged and must become a dead letter.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from didflow.errors import BadInput
from didflow_contracts.vocabulary import Channels, NextAction, RefusalCode, Status

FOLDER: Final = Path(__file__).parents[3] / "examples"
"""The folder of the examples in a checkout."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Then(_Line):
    """What people do with a number: the `details` (an address by name), the reviewer's decision and the routing.

    `voice` names a voice trunk or a voice trunk group of the reseller, `sms` its SMS trunk. `capacity_group` names its
    capacity group, of which one channel is reserved. If `later` is true, the details are assigned after the other
    reviews. `review` automatic: no reviewer decides.
    """

    details: str | None = None
    later: bool = False
    review: Annotated[str, Field(pattern=r"^(approve|automatic|reject:[a-z_]+)$")] | None = None
    voice: Literal["switchboard", "both-sites"] | None = None
    capacity: Channels | None = None
    capacity_group: Literal["shared"] | None = None
    sms: Literal["inbox"] | None = None


class Expect(_Line):
    """How a line must end: a status with its next step, a refusal, a duplicate, or a dead letter."""

    status: Status | None = None
    next_step: NextAction | None = None
    refused: RefusalCode | None = None
    duplicate: Literal[True] | None = None
    dead_letter: str | None = None

    @model_validator(mode="after")
    def _one_end(self) -> "Expect":
        ends = (self.status, self.refused, self.duplicate, self.dead_letter)
        if sum(end is not None for end in ends) != 1 or (self.status is None) != (self.next_step is None):
            raise ValueError("Give exactly one expected end. A status needs a next step.")
        return self


class Purchase(_Line):
    """One line: the event without its time, or raw bytes if the line is not JSON."""

    event: dict[str, Any] = {}
    raw: bytes | None = None
    then: Then = Then()
    expect: Expect

    @property
    def did_id(self) -> str:
        """The DID's id; empty for raw bytes."""
        return str(self.event["data"]["did_id"]) if self.event else ""

    @property
    def number(self) -> str:
        """The number; empty for raw bytes."""
        return str(self.event["data"]["number"]) if self.event else ""

    @property
    def account(self) -> str:
        """The buyer's account; empty for raw bytes."""
        return str(self.event["data"]["account"]) if self.event else ""

    def value(self, now: datetime) -> bytes:
        """Return the record's value: the event in structured mode with the time `now`, or the raw bytes."""
        if self.raw is not None:
            return self.raw
        return orjson.dumps({"specversion": "1.0", "time": now, **self.event}, option=orjson.OPT_UTC_Z)


class Identity(_Line):
    """An end user of an account, as it is sent to the API."""

    name: str
    account: str
    body: dict[str, Any]


class Address(_Line):
    """An address of an identity, as it is sent to the API."""

    name: str
    identity: str
    body: dict[str, Any]


class Examples(_Line):
    """The whole input. It contains every name that a purchase uses."""

    purchases: tuple[Purchase, ...]
    identities: Mapping[str, Identity]
    addresses: Mapping[str, Address]

    @model_validator(mode="after")
    def _names_are_known(self) -> "Examples":
        used = {purchase.then.details for purchase in self.purchases} - {None}
        missing = {name for name in used if name not in self.addresses}
        missing |= {a.identity for a in self.addresses.values() if a.identity not in self.identities}
        if missing:
            raise ValueError(f"These names are used but not defined: {', '.join(sorted(map(str, missing)))}.")
        return self

    @model_validator(mode="after")
    def _reviews_agree(self) -> "Examples":
        """An approval covers the account's other reviews of the same details, so no reviewer can reject these."""
        verdicts: dict[tuple[str, ...], set[str]] = {}
        for purchase in self.purchases:
            if purchase.then.details and purchase.then.review:
                kind = (purchase.account, purchase.then.details, purchase.event["data"]["number_type"])
                verdicts.setdefault(kind, set()).add(purchase.then.review.partition(":")[0])
        for (account, details, _), given in verdicts.items():
            if {"approve", "reject"} <= given:
                raise ValueError(f"{account} has an approval and a rejection of the same details: {details}.")
        return self

    def ending(self, kind: str) -> list[Purchase]:
        """Return the purchases with this kind of end: status, refused, duplicate or dead_letter."""
        return [purchase for purchase in self.purchases if getattr(purchase.expect, kind) is not None]


def read(purchases: Path = FOLDER / "purchases.jsonl") -> Examples:
    """Read a file of purchases and the identities and addresses beside it. Raises BadInput."""
    try:
        return Examples(
            purchases=tuple(_purchase(line) for line in purchases.read_bytes().splitlines() if line.strip()),
            identities={one.name: one for one in _lines(purchases.with_name("identities.jsonl"), Identity)},
            addresses={one.name: one for one in _lines(purchases.with_name("addresses.jsonl"), Address)},
        )
    except OSError as error:
        raise BadInput(f"{error.filename}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{purchases.parent}: {first['loc']}: {first['msg']}") from None


def _purchase(line: bytes) -> Purchase:
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Purchase(raw=line, expect=Expect(dead_letter="not_json"))
    return Purchase.model_validate(parsed)


def _lines(path: Path, model: type[Any]) -> list[Any]:
    adapter = TypeAdapter(model)
    return [adapter.validate_json(line) for line in path.read_bytes().splitlines() if line.strip()]
