"""Packages and their clients in answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_chassis.http import ItemResult
from didflow_contracts.vocabulary import NumberType
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.packages.package import Package, PackageClient, PackageState


class SelectionAnswer(BaseModel):
    """Which numbers can be picked. Null: any."""

    country: str | None
    number_type: NumberType | None
    tag: str | None
    operator: str | None


class PackageAnswer(BaseModel):
    """A package."""

    package_id: UUID
    account: str
    name: str
    count: int = Field(description="How many numbers each client can have.")
    selection: SelectionAnswer
    hold_days: int
    state: PackageState
    created_at: datetime


class ClientAnswer(BaseModel):
    """A client of a package."""

    account: str
    active: bool
    since: datetime
    dids: int | None = Field(default=None, description="How many live DIDs it has picked; null for a change.")


class PickResult(ItemResult):
    """The result of a pick."""

    did_id: UUID | None = Field(default=None, description="The new DID; null unless the number was picked.")


def package_json(package: Package) -> Mapping[str, Any]:
    """Return a package as JSON values."""
    return PackageAnswer.model_validate(package, from_attributes=True).model_dump(mode="json")


def client_json(client: PackageClient, dids: int | None = None) -> Mapping[str, Any]:
    """Return a client as JSON values."""
    shown = ClientAnswer(account=client.account, active=client.active, since=client.since, dids=dids)
    return shown.model_dump(mode="json")


def picked_json(did: Did | None) -> Mapping[str, Any]:
    """Return the id of the DID that a number became."""
    return {"did_id": None if did is None else str(did.holding.did_id)}
