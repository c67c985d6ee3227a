"""Carriers and operators in answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from didflow_inventory.domain.accounts.carriers import CarrierKind


class CarrierResponse(BaseModel):
    """A carrier."""

    carrier_id: UUID
    account: str
    name: str
    kind: CarrierKind
    created_at: datetime


class OperatorResponse(BaseModel):
    """An operator."""

    operator_id: UUID
    account: str
    name: str
    countries: list[str]
    notes: str | None
    created_at: datetime


def carrier_json(carrier: Any) -> Mapping[str, Any]:
    """Return a carrier as JSON values."""
    return CarrierResponse.model_validate(carrier, from_attributes=True).model_dump(mode="json")


def operator_json(operator: Any) -> Mapping[str, Any]:
    """Return an operator as JSON values."""
    return OperatorResponse.model_validate(operator, from_attributes=True).model_dump(mode="json")
