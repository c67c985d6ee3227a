"""Numbers in stock as JSON values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from pydantic import BaseModel

from didflow_contracts.vocabulary import AfterHold, Features, NumberType
from didflow_inventory.domain.stock.number import Number, StockStatus
from didflow_inventory.domain.stock.reservation import Reservation
from didflow_inventory.store.stock import number_of_row


class StockAnswer(Struct, frozen=True, kw_only=True):
    """A number in stock."""

    number: str
    stock: StockStatus
    country: str | None
    region: str | None
    number_type: NumberType
    features: Features
    uploaded_by: str
    uploaded_at: datetime
    operator: str | None
    carrier: str | None
    sms_carrier: str | None
    reservation_id: UUID | None
    until: datetime | None
    tag: str | None
    notes: str | None
    after_hold: AfterHold | None


class ReservationAnswer(BaseModel):
    """Numbers that an account keeps until an instant."""

    reservation_id: UUID
    numbers: list[str]
    expires_at: datetime
    account: str


COLUMNS: Final = StockAnswer.__struct_fields__
AVAILABLE: Final = ("number", "country", "region", "number_type", "features")


def stock_json(number: Number) -> Mapping[str, Any]:
    """Return a number in stock as JSON values."""
    values: Mapping[str, Any] = msgspec.to_builtins({name: getattr(number, name) for name in COLUMNS})
    return values


def stock_row(number: Number) -> Mapping[str, Any]:
    """Return a number in stock as the cells of a file."""
    return {**stock_json(number), "features": " ".join(number.features)}


def stock_of_row(row: Any) -> Mapping[str, Any]:
    """Return a row as a number in stock."""
    return stock_json(number_of_row(row))


def available_of_row(row: Any) -> Mapping[str, Any]:
    """Return a row as a number that can be had. Nothing else about it is shown to accounts below its uploader."""
    number = number_of_row(row)
    return {name: getattr(number, name) for name in AVAILABLE}


def reservation_json(reservation: Reservation) -> Mapping[str, Any]:
    """Return a reservation as JSON values."""
    fields = {name: getattr(reservation, name) for name in ReservationAnswer.model_fields}
    return ReservationAnswer.model_validate(fields).model_dump(mode="json")
