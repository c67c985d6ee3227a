"""Hand-out: an account below, or a user, gets a number in stock as a DID. It has no price, so it has no term.

Source: spec lifecycle, The life of a DID; spec roles, `hand_out`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import OPERATOR, Command, Decided, Decision, Known, Refused, Unchanged
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.users import NOT_FOUND as NO_USER
from didflow_inventory.domain.accounts.users import User, user_with_did
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.stock.availability import refusal_by_stock
from didflow_inventory.domain.stock.new_did import become_did, data_of_stocked, live_did_of
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.stock.transitions import NOT_FOUND


@dataclass(frozen=True, kw_only=True)
class HandOut(Command):
    """Make the number `subject` a DID of `account`, and of a user of it. `entity_id` is the id of the new DID."""

    account: str
    user_id: UUID | None = None


def hand_out(
    did: Did | None, command: HandOut, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Make a number in stock a DID of an account below the caller's and below its uploader's, or of a user.

    Unchanged if it is a DID of that account already.
    Refused with `not_found` (the account, its user or the number), `user_has_default`, `not_below`, `account_unknown`,
    `number_taken`, `number_releasing`, `number_reserved`, `number_archived`, and `did_id_taken`.
    """
    if did is not None:
        return Refused("did_id_taken", "This did_id belongs to another DID. Try again.", "did_id")
    number = known.get(Number, command.subject)
    refusal = _refusal_of_account(command, known)
    if refusal is not None:
        return refusal
    if number is None or number.uploaded_by is None or not command.caller.reaches(number.uploaded_by):
        return NOT_FOUND
    if _has_it(command, number, known):
        return Unchanged()
    refusal = refusal_by_stock(number, command.account, now, buyers=(command.caller.account,))
    if refusal is not None:
        return refusal
    if command.account == number.uploaded_by and command.user_id is None:
        return Refused("not_below", "This account added the number. Name an account below it.", "account")
    data = data_of_stocked(number, UUID(str(command.entity_id)), command.account, "assigned")
    user = None if command.user_id is None else str(command.user_id)
    made = become_did(data, now, known, deployment_carrier=deployment_carrier, user=user)
    return made if command.user_id is None else _with_user(made, command.user_id, known)


def _with_user(made: Decided[Did], user_id: UUID, known: Known) -> Decided[Did] | Refused:
    """Return the decision with the user that gets the new DID, or the refusal of the user."""
    user = known.get(User, user_id)
    if user is None or made.state is None:
        return NO_USER
    after = user_with_did(user, made.state.holding, known)
    if isinstance(after, Refused):
        return after
    return made if after == user else replace(made, also=(*made.also, after))


def _refusal_of_account(command: HandOut, known: Known) -> Refused | None:
    caller = command.caller
    if not caller.reaches(command.account):
        return Refused("not_found", "No such account in your reach.", "account")
    if command.account == caller.account and caller.role != OPERATOR and command.user_id is None:
        return Refused("not_below", "Name an account below yours, or a user of your account.", "account")
    if known.get(Account, command.account) is None:
        return Refused("account_unknown", f"The account {command.account} does not exist.", "account")
    if command.user_id is not None:
        user = known.get(User, command.user_id)
        return NO_USER if user is None or user.account != command.account else None
    return None


def _has_it(command: HandOut, number: Number, known: Known) -> bool:
    """Return True if the number is a DID that the account, and the user if one is named, has already."""
    live = live_did_of(number, known)
    if live is None or live.holding.account != command.account:
        return False
    return command.user_id is None or live.holding.user == str(command.user_id)
