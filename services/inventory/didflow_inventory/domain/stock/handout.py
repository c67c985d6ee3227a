"""Hand-out: an account below, or a user, gets a number in stock as a DID. It has no price, so it has no term.

Source: spec lifecycle, The life of a DID; spec roles, `hand_out`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from didflow_chassis.decision import OPERATOR, Command, Decision, Known, Refused, Unchanged
from didflow_inventory.domain.account import Account
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.stock.availability import refusal_by_stock
from didflow_inventory.domain.stock.changes import NOT_FOUND
from didflow_inventory.domain.stock.new_did import become_did, data_of_stocked
from didflow_inventory.domain.stock.number import Number


@dataclass(frozen=True, kw_only=True)
class HandOut(Command):
    """Make the number `subject` a DID of `account`. `entity_id` is the id of the new DID."""

    account: str
    user_id: UUID | None = None


def hand_out(
    did: Did | None, command: HandOut, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Make a number in stock a DID of an account below the caller's, or of a user of the caller's account.

    Unchanged if it is a DID of that account already.
    Refused with `not_found` (the account or the number), `not_below`, `account_unknown`, `number_taken`,
    `number_releasing`, `number_reserved`, `number_archived`, and `did_id_taken`.
    """
    if did is not None:
        return Refused("did_id_taken", "This did_id belongs to another DID. Try again.", "did_id")
    number = known.get(Number, command.subject)
    refusal = _refusal_of_account(command, known)
    if refusal is not None:
        return refusal
    if number is None or number.uploaded_by is None or not command.caller.reaches(number.uploaded_by):
        return NOT_FOUND
    if _has_it(command.account, number, known):
        return Unchanged()
    refusal = refusal_by_stock(number, command.account, now, buyers=(command.caller.account,))
    if refusal is not None:
        return refusal
    data = data_of_stocked(number, UUID(str(command.entity_id)), command.account, "assigned")
    return become_did(data, now, known, deployment_carrier=deployment_carrier)


def _refusal_of_account(command: HandOut, known: Known) -> Refused | None:
    caller = command.caller
    if not caller.reaches(command.account):
        return Refused("not_found", "No such account in your reach.", "account")
    if command.account == caller.account and caller.role != OPERATOR and command.user_id is None:
        return Refused("not_below", "Name an account below yours, or a user of your account.", "account")
    if known.get(Account, command.account) is None:
        return Refused("account_unknown", f"The account {command.account} does not exist.", "account")
    return None


def _has_it(account: str, number: Number, known: Known) -> bool:
    """Return True if the number is a DID that the account holds."""
    live = None if number.did_id is None else known.get(Did, number.did_id)
    return live is not None and live.holding.account == account
