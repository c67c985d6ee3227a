"""The commands about numbers in stock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from didflow_chassis.decision import Command
from didflow_contracts.vocabulary import AfterHold, Features, NumberType
from didflow_inventory.domain.stock.ranges import NumberRange


class StockFields(Struct, frozen=True, kw_only=True):
    """What an uploader says about a number. `number_type` None: that of the numbering plan."""

    status: Literal["in_stock", "reserved", "archived"] = "in_stock"
    number_type: NumberType | None = None
    features: Features = ("voice_in",)
    operator: str | None = None
    carrier: str | None = None
    sms_carrier: str | None = None
    tag: str | None = None
    notes: str | None = None
    after_hold: AfterHold | None = None


@dataclass(frozen=True, kw_only=True)
class AddNumber(Command):
    """Add a number to the stock of the caller's account."""

    fields: StockFields


@dataclass(frozen=True, kw_only=True)
class AddManyNumbers(Command):
    """Start the job that adds numbers to the stock of the caller's account. `entity_id` is that account."""

    job_id: UUID
    ranges: tuple[NumberRange | str, ...]
    fields: StockFields


@dataclass(frozen=True, kw_only=True)
class EditNumber(Command):
    """Set fields of a number in stock: those of `changes`, by name."""

    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class MoveNumber(Command):
    """Reserve or archive a number in stock, or release it into the stock again."""

    to: Literal["in_stock", "reserved", "archived"]


@dataclass(frozen=True, kw_only=True)
class DeleteNumber(Command):
    """Take a number that is no DID out of the stock."""
