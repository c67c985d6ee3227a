"""What is done with numbers in stock: edited, reserved, archived, released, deleted.

Source: spec inventory, `stock`; spec roles, `upload` and `delete_stock`.
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from didflow_chassis.decision import OPERATOR, Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.carriers import refusal_of_carriers
from didflow_inventory.domain.accounts.default_carriers import Carriers, carriers_after_edit, default_carriers
from didflow_inventory.domain.stock.after_did import out_of_stock
from didflow_inventory.domain.stock.commands import DeleteNumber, EditNumber, MoveNumber
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.stock.permission import refusal_of_external_numbers
from didflow_inventory.domain.stock.transitions import NOT_FOUND, as_of, moved, refusal_of_state

_CARRIED: Final = frozenset(("features", "carrier", "sms_carrier"))


def edit_number(
    number: Number | None, command: EditNumber, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Set fields of a number in stock. A feature that needs a carrier gets the default carrier of the uploader.

    Refused with `not_found`, `in_use` (it is a DID), `external_numbers_not_allowed`, `carrier_unknown`.
    """
    found = _in_reach(number, command.caller, now, known)
    if isinstance(found, Refused):
        return found
    uploader = found.uploaded_by or ""
    named = Carriers(carrier=command.changes.get("carrier"), sms_carrier=command.changes.get("sms_carrier"))
    unknown = refusal_of_carriers(named, uploader, known, deployment_carrier)
    if unknown is not None:
        return unknown
    edited = replace(found, **command.changes)
    if not _CARRIED.isdisjoint(command.changes):
        present = Carriers(carrier=found.carrier, sms_carrier=found.sms_carrier)
        given = {
            name: command.changes[name] for name in Carriers.__struct_fields__ if name in command.changes
        }
        default = default_carriers(uploader, known, deployment_carrier)
        carriers = carriers_after_edit(edited.features, present, given, default)
        edited = replace(edited, carrier=carriers.carrier, sms_carrier=carriers.sms_carrier)
    return Unchanged() if edited == found else Decided(state=edited)


def move_number(number: Number | None, command: MoveNumber, now: datetime, known: Known) -> Decision:
    """Reserve, archive or release a number by the closed table (`transitions`).

    A number that a reservation holds is released by the reservation alone. Refused with `not_found`, `in_use`,
    `external_numbers_not_allowed`, `number_reserved`, `number_archived`.
    """
    found = _in_reach(number, command.caller, now, known)
    if isinstance(found, Refused):
        return found
    if found.stock == "held":
        return refusal_of_state("held", "A reservation holds this number. Cancel it, or wait for its end.")
    result = moved(found, command.to, now)
    return Decided(state=result) if isinstance(result, Number) else result


def delete_number(number: Number | None, command: DeleteNumber, now: datetime, known: Known) -> Decision:
    """Take a number out of the stock. Only the tier that uploaded it does that, or an operator.

    Refused with `not_found`, `not_uploader`, `in_use` (it is a DID), `external_numbers_not_allowed`, and
    `number_reserved` while a reservation holds it.
    """
    caller = command.caller
    if number is None or not _is_seen(as_of(number, now), caller):
        return NOT_FOUND
    if caller.role != OPERATOR and number.uploaded_by != caller.account:
        return Refused("not_uploader", "Only the account that added the number can delete it.", "numbers")
    found = _in_reach(number, caller, now, known)
    if isinstance(found, Refused):
        return found
    if found.stock == "held":
        return refusal_of_state("held", "A reservation holds this number. It can be deleted afterwards.")
    return Decided(state=out_of_stock(found))


def _in_reach(number: Number | None, caller: Caller, now: datetime, known: Known) -> Number | Refused:
    """Return a number in a stock that the caller may change, as it is now, or the refusal."""
    if number is None or number.uploaded_by is None or not caller.reaches(number.uploaded_by):
        return NOT_FOUND
    forbidden = refusal_of_external_numbers(caller, known.get(Account, caller.account))
    if forbidden is not None:
        return forbidden
    if number.did_id is not None:
        return Refused("in_use", "This number is a DID. Change the DID.", "numbers")
    return as_of(number, now)


def _is_seen(number: Number, caller: Caller) -> bool:
    """Return True for a number in a stock that the caller reaches, and for one that it may have from above."""
    uploader = number.uploaded_by
    if uploader is None:
        return False
    is_available = number.stock == "in_stock" and is_within(caller.account, uploader)
    return caller.reaches(uploader) or is_available
