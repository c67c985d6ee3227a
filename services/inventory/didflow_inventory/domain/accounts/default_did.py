"""A user gets its default DID in the step in which it is created or changed.

A number that nobody has becomes a DID as an external number, where the account allows that.
Source: spec inventory, Accounts and holders, `user`.
"""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.events import DidPurchased
from didflow_contracts.numbers import number_type_of
from didflow_contracts.vocabulary import Features
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.commands import CreateUser, SetDefaultDid
from didflow_inventory.domain.accounts.users import User, changed_user, created_user, user_with_did
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.changes import changed
from didflow_inventory.domain.holding.rules import is_out_of_reach, refusal_of_action
from didflow_inventory.domain.purchase import refusal_of_number
from didflow_inventory.domain.stock.availability import refusal_by_numbering_plan
from didflow_inventory.domain.stock.new_did import become_did

NOT_FOUND = Refused("not_found", "The account of the user has no such DID.", "default_did")


def set_default_did(
    did: Did | None, command: SetDefaultDid, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Save the user and give it the DID. The answer is the user.

    Refused as the creation or the change of the user, `not_found` (the DID is not one of the user's account),
    `user_has_default`, `wrong_stock_state`; and if the number is no DID yet, `external_numbers_not_allowed` and the
    codes of a purchase by event.
    """
    user = _saved(command, now, known)
    if isinstance(user, Refused):
        return user
    if user.account != command.account:
        return NOT_FOUND
    if did is None:
        return _with_new_did(command, user, now, known, deployment_carrier=deployment_carrier)
    return _with_did(did, command, user, now, known)


def _saved(command: SetDefaultDid, now: datetime, known: Known) -> User | Refused:
    user_id = command.user.entity_id
    user = known.get(User, user_id)
    if isinstance(command.user, CreateUser):
        return user or created_user(command.user, now, known)
    return changed_user(user, command.user, known)


def _with_did(did: Did, command: SetDefaultDid, user: User, now: datetime, known: Known) -> Decision:
    holding = did.holding
    if is_out_of_reach(holding, command.caller) or holding.account != user.account:
        return NOT_FOUND
    after = user_with_did(user, holding, known, as_default=True)
    if isinstance(after, Refused):
        return after
    if holding.user != str(user.user_id):
        refusal = refusal_of_action("assign_user", holding, did.views, command.caller)
        if refusal is not None:
            return refusal
    decided = changed(did, replace(holding, user=str(user.user_id)), now, also=(after,))
    if isinstance(decided, Decided):
        return replace(decided, answer=after)
    if after == known.get(User, user.user_id):
        return Unchanged(answer=after)
    return Decided(also=(after,), answer=after)


def _with_new_did(
    command: SetDefaultDid, user: User, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Add the number as an external DID of the account, whoever asks, if the account allows external numbers."""
    account = known.get(Account, user.account)
    if account is None or not account.allow_external_numbers:
        return Refused(
            "external_numbers_not_allowed", "This account may not add numbers of its own.", "default_did"
        )
    number = command.subject
    invalid = refusal_by_numbering_plan(number, None)
    if invalid is not None:
        return replace(invalid, field="default_did")
    data = DidPurchased(
        did_id=UUID(str(command.entity_id)),
        number=number,
        account=user.account,
        number_type=number_type_of(number),
        features=_features(user),
        acquired="external",
    )
    refusal = refusal_of_number(data, now, known)
    if refusal is not None:
        return replace(refusal, field="default_did")
    made = become_did(
        data, now, known, deployment_carrier=deployment_carrier, user=str(user.user_id), purchased_at=now
    )
    if made.state is None:
        raise TypeError("a new DID has a state")
    after = user_with_did(user, made.state.holding, known, as_default=True)
    return after if isinstance(after, Refused) else replace(made, also=(*made.also, after), answer=after)


def _features(user: User) -> Features:
    """Return the features of a number about which nothing else is known."""
    if user.kind == "sms":
        return ("sms_in",)
    return ("voice_in", "sms_in") if user.sms_enabled else ("voice_in",)
