"""Routes of packages."""

import random
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from didflow_chassis.decision import Refused, Unchanged
from didflow_chassis.http import (
    BatchAnswer,
    Http,
    HttpContext,
    JobResponse,
    NamedEntity,
    Page,
    Problem,
    Router,
    check_size,
)
from didflow_chassis.stage.call import CommandDecision
from didflow_contracts.accounts import AccountPath
from didflow_contracts.ids import uuid7
from didflow_inventory.api.did_lookup import numbers_of
from didflow_inventory.api.packages.bodies import ClientBody, PackageBody, PackageChangeBody, PickBody
from didflow_inventory.api.packages.responses import (
    ClientAnswer,
    PackageAnswer,
    PickResult,
    client_json,
    package_json,
    picked_json,
)
from didflow_inventory.api.stock.responses import available_of_row
from didflow_inventory.domain.packages.commands import (
    AddClient,
    ChangePackage,
    CreatePackage,
    EndClient,
    Pick,
    SwitchPackage,
)
from didflow_inventory.domain.packages.package import Package, PackageState, client_key
from didflow_inventory.domain.packages.picks import NO_SUCH_NUMBER
from didflow_inventory.store import packages
from didflow_inventory.store.stock import SORTS

router = Router(tags=["packages"])

MORE_CHOICE = 100
"""How many more free numbers are read than are wanted, to choose among."""


@router.post("/packages", action="manage_packages", status_code=201, response_model=PackageAnswer)
async def create_package(http: Http, body: PackageBody) -> Response:
    """Create an active package of your account or of one below it."""
    command = CreatePackage(
        entity_id=uuid7(),
        subject="",
        caller=http.caller,
        account=body.account or http.caller.account,
        fields=body.fields(),
    )
    return await http.run(command, status=201, render=package_json)


@router.get("/packages", action="pick")
async def list_packages(http: Http) -> Page:
    """List the packages of your accounts, and those under which your accounts pick numbers."""
    statement = packages.packages_of(http.caller)
    return await http.page(
        statement, sort=packages.SORTS, render=lambda row: package_json(packages.package_of_row(row))
    )


@router.get("/packages/{package_id}", action="pick", response_model=PackageAnswer)
async def show_package(http: Http, package_id: UUID) -> Mapping[str, Any]:
    """Show one package."""
    return package_json(await _package(http, package_id))


@router.patch("/packages/{package_id}", action="manage_packages", response_model=PackageAnswer)
async def change_package(http: Http, package_id: UUID, body: PackageChangeBody) -> Response:
    """Change a package. What was picked before stays."""
    command = ChangePackage(entity_id=package_id, subject="", caller=http.caller, changes=body.changes())
    return await http.run(command, render=package_json)


@router.post(
    "/packages/{package_id}/activate", action="manage_packages", status_code=202, response_model=JobResponse
)
async def activate_package(http: Http, package_id: UUID) -> Response:
    """Activate a package. A job brings its numbers back that are still on hold."""
    return await _switch(http, package_id, "active")


@router.post(
    "/packages/{package_id}/deactivate", action="manage_packages", status_code=202, response_model=JobResponse
)
async def deactivate_package(http: Http, package_id: UUID) -> Response:
    """Deactivate a package. A job puts its numbers on hold."""
    return await _switch(http, package_id, "inactive")


@router.post(
    "/packages/{package_id}/clients", action="manage_packages", status_code=201, response_model=ClientAnswer
)
async def add_client(http: Http, package_id: UUID, body: ClientBody) -> Response:
    """Let an account pick numbers under a package. A former client begins again, and its numbers come back."""
    command = AddClient(
        entity_id=client_key(package_id, body.account),
        subject="",
        caller=http.caller,
        package_id=package_id,
        account=body.account,
        job_id=uuid7(),
    )
    return await http.run(command, status=201, render=client_json)


@router.get("/packages/{package_id}/clients", action="pick")
async def list_clients(http: Http, package_id: UUID) -> Page:
    """List the clients of a package in your accounts, each with how many numbers it has."""
    await _package(http, package_id)
    return await http.page(
        packages.clients_of(http.caller, package_id),
        sort=packages.CLIENT_SORTS,
        render=lambda row: client_json(packages.client_of_row(row), row["dids"]),
    )


@router.delete(
    "/packages/{package_id}/clients/{account:path}",
    action="manage_packages",
    status_code=202,
    response_model=JobResponse,
)
async def end_client(http: Http, package_id: UUID, account: AccountPath) -> Response:
    """End the package of a client. A job puts its numbers on hold."""
    command = EndClient(
        entity_id=client_key(package_id, account),
        subject="",
        caller=http.caller,
        package_id=package_id,
        account=account,
        job_id=uuid7(),
    )
    return await http.start_job(command)


@router.get("/packages/{package_id}/numbers", action="pick")
async def list_numbers(http: Http, package_id: UUID) -> Page:
    """List the free numbers of a package."""
    statement = packages.free_numbers(await _package(http, package_id))
    return await http.page(statement, sort={"number": SORTS["number"]}, render=available_of_row)


@router.batch("/packages/{package_id}/picks", action="pick", item="number", result=PickResult)
async def pick_numbers(http: Http, package_id: UUID, body: PickBody) -> BatchAnswer:
    """Make numbers of a package DIDs of a client: those that you name, or any so many.

    With `count` it is all or none: 409 `not_enough_numbers` if fewer are free.
    """
    if body.numbers is not None:
        check_size(body.numbers, field="numbers")
    package = await _package(http, package_id)
    account = body.account or http.caller.account
    if not await http.rows(packages.active_client(http.caller, package_id, account)):
        raise http.problem(404, "not_found", "No such client of this package in your accounts.")

    def command_for(entity: NamedEntity) -> Pick:
        return Pick(
            entity_id=uuid7(),
            subject=entity.subject,
            caller=http.caller,
            package_id=package_id,
            account=account,
        )

    if body.numbers is not None:
        return await http.batch(
            body.numbers, numbers_of, command_for, absent=NO_SUCH_NUMBER, render=picked_json
        )
    wanted = body.count or 0

    async def attempt() -> BatchAnswer:
        names = await _choice(http, package, wanted)
        return await http.batch(
            names,
            numbers_of,
            command_for,
            absent=NO_SUCH_NUMBER,
            render=picked_json,
            is_outdated=_is_taken,
        )

    return await http.until_in_time(attempt)


async def _choice(http: HttpContext, package: Package, count: int) -> list[str]:
    """Return free numbers, chosen at random, so that callers at the same time rarely choose the same ones."""
    rows = await http.rows(packages.free_numbers(package).limit(2 * count + MORE_CHOICE))
    if len(rows) < count:
        raise Problem("not_enough_numbers", f"{count} numbers are wanted, and {len(rows)} are free.")
    return sorted(random.sample([row["number"] for row in rows], count))


def _is_taken(decision: CommandDecision) -> bool:
    """Return True if a number was taken since it was chosen, also if the same client has picked it."""
    taken = {"number_taken", "number_reserved", "number_archived", "number_releasing"}
    is_refused = isinstance(decision, Refused) and decision.code in taken
    return is_refused or isinstance(decision, Unchanged)


async def _switch(http: HttpContext, package_id: UUID, to: PackageState) -> Response:
    command = SwitchPackage(entity_id=package_id, subject="", caller=http.caller, to=to, job_id=uuid7())
    return await http.start_job(command)


async def _package(http: HttpContext, package_id: UUID) -> Package:
    rows = await http.rows(packages.one_package(http.caller, package_id))
    if not rows:
        raise http.problem(404, "not_found", "No such package in your accounts.")
    return packages.package_of_row(rows[0])
