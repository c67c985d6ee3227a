"""A client picks numbers under its package, and the numbers follow the package: on hold, and back.

Source: spec inventory, Packages; spec lifecycle, Stock and holders.
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decision, Known, Refused, Unchanged
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.changes import changed
from didflow_inventory.domain.holding.hold import held, unheld
from didflow_inventory.domain.holding.rules import POSSIBLE
from didflow_inventory.domain.packages.commands import FollowPackage, Pick
from didflow_inventory.domain.packages.lifecycle import NOT_FOUND
from didflow_inventory.domain.packages.package import (
    Package,
    PackageClient,
    PackageUse,
    client_key,
    ended_package,
)
from didflow_inventory.domain.stock.availability import refusal_by_stock
from didflow_inventory.domain.stock.new_did import become_did, data_of_stocked, live_did_of
from didflow_inventory.domain.stock.number import Number

NO_SUCH_NUMBER = Refused("not_found", "The package has no such number.", "number")


def pick(did: Did | None, command: Pick, now: datetime, known: Known, *, deployment_carrier: str) -> Decision:
    """Make a number of the selection a DID of the client.

    Unchanged if the client has picked it already.
    Refused `not_found` (the package or the number), `package_inactive`, `package_full`, `number_taken`,
    `number_reserved`, `number_releasing`, `number_archived`, and `did_id_taken`.
    """
    if did is not None:
        return Refused("did_id_taken", "This did_id belongs to another DID. Try again.", "did_id")
    key = client_key(command.package_id, command.account)
    package, client = known.get(Package, command.package_id), known.get(PackageClient, key)
    if package is None or client is None or not client.active or not command.caller.reaches(client.account):
        return NOT_FOUND
    if package.state != "active":
        return Refused("package_inactive", "The package is not active.", "package_id")
    number = known.get(Number, command.subject)
    if number is None or not is_offered(package, number):
        return NO_SUCH_NUMBER
    live = live_did_of(number, known)
    if live is not None and live.holding.package_key == key:
        return Unchanged(answer=live)
    refusal = refusal_by_stock(number, command.account, now)
    if refusal is not None:
        return refusal
    use = known.get(PackageUse, key)
    if use is not None and use.as_of(client) >= package.count:
        return Refused("package_full", f"The package allows {package.count} numbers.", "package_id")
    data = data_of_stocked(number, UUID(str(command.entity_id)), command.account, "package")
    made = become_did(data, now, known, deployment_carrier=deployment_carrier, package_key=key)
    picked = replace(client, picks=client.picks + 1)
    return replace(made, also=(*made.also, picked), answer=made.state)


def is_offered(package: Package, number: Number) -> bool:
    """Return True if a number is in the selection, in the stock of the package's account.

    A pick has no price. So the account gives away its own numbers, and those of an account above are purchased.
    """
    return number.uploaded_by == package.account and package.selection.has(number)


def follow_package(did: Did | None, command: FollowPackage, now: datetime, known: Known) -> Decision:  # noqa: ARG001
    """Put a DID on hold if its package is inactive or its client has ended, else end such a hold.

    A hold that was set by hand stays as it is. At its end the package holds the DID if it is still inactive
    (`after_hold`).
    """
    if did is None or did.holding.package_key is None:
        return Unchanged()
    holding, package = did.holding, ended_package(did.holding.package_key, known)
    if package is None and holding.stock == "on_hold" and holding.held_by == "package":
        return changed(did, unheld(holding, "unhold"), now)
    if package is not None and holding.stock in POSSIBLE["hold"]:
        return changed(did, held(holding, "package", package.hold_days, None, now), now)
    return Unchanged()
