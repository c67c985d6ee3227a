"""A package is created, changed, switched on and off, and gets clients. Source: spec inventory, Packages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, NewJob, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.packages.commands import (
    AddClient,
    ChangePackage,
    CreatePackage,
    EndClient,
    PackageCommand,
    SwitchPackage,
)
from didflow_inventory.domain.packages.package import Package, PackageClient

FOLLOW_PACKAGE: Final = "follow_package"
"""The kind of job that puts the numbers of a package on hold, or brings them back."""

NOT_FOUND: Final = Refused("not_found", "No such package in your accounts.", "package_id")


@dataclass(frozen=True, kw_only=True)
class PackageNumbers:
    """The parameters of the job: the numbers of a package, or those of one client."""

    package_id: UUID
    account: str | None = None


def create_package(package: Package | None, command: CreatePackage, now: datetime, known: Known) -> Decision:
    """Create an active package. Refused `not_found` for an account out of reach or unknown."""
    if package is not None:
        return Unchanged(answer=package)
    if not command.caller.reaches(command.account) or known.get(Account, command.account) is None:
        return Refused("not_found", "No such account in your reach.", "account")
    package_id = UUID(str(command.entity_id))
    created = Package(package_id=package_id, account=command.account, created_at=now, **command.fields)
    return Decided(state=created, answer=created)


def change_package(package: Package | None, command: ChangePackage, now: datetime) -> Decision:  # noqa: ARG001
    """Change a package. Numbers that were picked before stay, also if they are more than the new count."""
    if package is None or not command.caller.reaches(package.account):
        return NOT_FOUND
    changed = replace(package, **command.changes)
    return Unchanged(answer=package) if changed == package else Decided(state=changed, answer=changed)


def switch_package(package: Package | None, command: SwitchPackage, now: datetime) -> Decision:
    """Activate or deactivate a package and start the job. Again, the job looks at all numbers once more."""
    if package is None or not command.caller.reaches(package.account):
        return NOT_FOUND
    job = _job(command, package.package_id, None, now)
    return Decided(state=replace(package, state=command.to), also=(job,), answer=job)


def add_client(client: PackageClient | None, command: AddClient, now: datetime, known: Known) -> Decision:
    """Let an account below that of the package pick numbers. A client that ended begins again, with its numbers.

    Refused `not_found` for the package or the account, `not_below` for an account outside that of the package.
    """
    package = known.get(Package, command.package_id)
    if package is None or not command.caller.reaches(package.account):
        return NOT_FOUND
    if not command.caller.reaches(command.account) or known.get(Account, command.account) is None:
        return Refused("not_found", "No such account in your reach.", "account")
    if not is_within(command.account, package.account):
        return Refused("not_below", "A client is an account below that of the package.", "account")
    if client is not None and client.active:
        return Unchanged(answer=client)
    if client is not None:
        again = replace(client, active=True, since=now)
        job = _job(command, package.package_id, client.account, now)
        return Decided(state=again, also=(job,), answer=again)
    added = PackageClient(
        key=str(command.entity_id), package_id=package.package_id, account=command.account, since=now
    )
    return Decided(state=added, answer=added)


def end_client(client: PackageClient | None, command: EndClient, now: datetime, known: Known) -> Decision:
    """End the package of a client and start the job. Refused `not_found`."""
    package = known.get(Package, command.package_id)
    if package is None or client is None or not command.caller.reaches(package.account):
        return NOT_FOUND
    job = _job(command, package.package_id, client.account, now)
    return Decided(state=replace(client, active=False), also=(job,), answer=job)


def _job(command: PackageCommand, package_id: UUID, account: str | None, now: datetime) -> NewJob:
    return NewJob.of(
        command.caller,
        job_id=command.job_id,
        kind=FOLLOW_PACKAGE,
        now=now,
        parameters=PackageNumbers(package_id=package_id, account=account),
    )
