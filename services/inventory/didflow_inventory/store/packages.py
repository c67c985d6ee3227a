"""The reads of packages. A caller sees the packages of its accounts, and those that have one of them as a client."""

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.decision import Caller
from didflow_chassis.tables import NOW
from didflow_chassis.tenancy import within
from didflow_inventory.domain.packages.lifecycle import PackageNumbers
from didflow_inventory.domain.packages.package import Package, PackageClient
from didflow_inventory.store.stock import IS_FREE
from didflow_inventory.store.tables import (
    NUMBERS,
    PACKAGE_CLIENTS,
    PACKAGES,
    dids,
    numbers,
    package_clients,
    packages,
)

SORTS: Final = {name: packages.c[name] for name in ("name", "created_at", "account")}
CLIENT_SORTS: Final = {"account": package_clients.c.account}


def packages_of(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the packages that a caller sees."""
    client = sa.exists().where(
        package_clients.c.package_id == packages.c.package_id,
        package_clients.c.active,
        within(package_clients.c.account, caller),
    )
    is_seen = sa.or_(within(packages.c.account, caller), client)
    return sa.select(*(packages.c[name] for name in PACKAGES.columns)).where(is_seen, *conditions)


def one_package(caller: Caller, package_id: UUID) -> sa.Select[Any]:
    """Select one package that a caller sees."""
    return packages_of(caller, packages.c.package_id == package_id)


def clients_of(caller: Caller, package_id: UUID) -> sa.Select[Any]:
    """Select the clients of a package in the caller's reach, each with its count of live DIDs."""
    picked = (
        sa.select(sa.func.count())
        .select_from(dids)
        .where(dids.c.package_key == package_clients.c.key, dids.c.in_all)
        .scalar_subquery()
        .label("dids")
    )
    columns = (package_clients.c[name] for name in PACKAGE_CLIENTS.columns)
    here = package_clients.c.package_id == package_id, within(package_clients.c.account, caller)
    return sa.select(*columns, picked).where(*here)


def active_client(caller: Caller, package_id: UUID, account: str) -> sa.Select[Any]:
    """Select a client of a package in the caller's reach, unless it has ended."""
    here = package_clients.c.package_id == package_id, package_clients.c.account == account
    return sa.select(package_clients.c.account).where(
        *here, package_clients.c.active, within(package_clients.c.account, caller)
    )


def free_numbers(package: Package) -> sa.Select[Any]:
    """Select the free numbers of the selection, each with the time as `now`."""
    conditions = [numbers.c[name] == value for name, value in package.selection.given().items()]
    columns = (numbers.c[name] for name in NUMBERS.columns)
    in_stock = numbers.c.uploaded_by == package.account
    return sa.select(*columns, NOW.label("now")).where(in_stock, IS_FREE, *conditions)


def dids_of(job: PackageNumbers) -> sa.Select[Any]:
    """Select the live DIDs that were picked under a package, or by one client."""
    keys = sa.select(package_clients.c.key).where(package_clients.c.package_id == job.package_id)
    if job.account is not None:
        keys = keys.where(package_clients.c.account == job.account)
    return sa.select(dids.c.did_id, dids.c.number).where(dids.c.package_key.in_(keys), dids.c.in_all)


def next_dids(job: PackageNumbers, after: UUID | None, limit: int) -> sa.Select[Any]:
    """Select the next of these DIDs in the order of their ids."""
    statement = dids_of(job).order_by(dids.c.did_id).limit(limit)
    return statement if after is None else statement.where(dids.c.did_id > after)


def count_of_dids(job: PackageNumbers) -> sa.Select[Any]:
    """Select the number of these DIDs."""
    return sa.select(sa.func.count()).select_from(dids_of(job).subquery())


def package_of_row(row: Any) -> Package:
    """Return the package of a row."""
    return PACKAGES.from_row([row[name] for name in PACKAGES.columns]).state


def client_of_row(row: Any) -> PackageClient:
    """Return the client of a row."""
    return PACKAGE_CLIENTS.from_row([row[name] for name in PACKAGE_CLIENTS.columns]).state
