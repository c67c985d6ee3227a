"""The edit of a DID: what its holder says about it, its features and its carriers.

Features and carriers change only while no user has the number. Source: spec lifecycle, Stock and holders.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decision, Known, Refused
from didflow_contracts.bounds import ITEMS
from didflow_inventory.domain.accounts.carriers import refusal_of_carriers
from didflow_inventory.domain.accounts.default_carriers import (
    Carriers,
    carriers_after_edit,
    default_carriers,
)
from didflow_inventory.domain.accounts.users import User
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.holding.changes import changed
from didflow_inventory.domain.holding.commands import EditDid, Edits
from didflow_inventory.domain.holding.holding import Holding
from didflow_inventory.domain.holding.rules import (
    NOT_FOUND,
    is_out_of_reach,
    is_without_user,
    refusal_of_action,
)

USER: Final = "user"
"""The role that sees only its own DIDs, and edits only their description."""
_TECHNICAL: Final = ("features", "carrier", "sms_carrier")
"""The fields that change only while no user has the number."""


def edit(
    did: Did | None, command: EditDid, now: datetime, known: Known, *, deployment_carrier: str
) -> Decision:
    """Set the given fields of a DID.

    Refused `not_found`, `wrong_stock_state`, `in_use`, `carrier_unknown`, `too_many` tags.
    """
    if did is None or is_out_of_reach(did.holding, command.caller):
        return NOT_FOUND
    if command.caller.role == USER and not _is_of(did.holding, command.caller, known):
        return NOT_FOUND
    holding = did.holding
    after = _with_texts(holding, command.edits)
    if changes_carriers(command.edits):
        default = default_carriers(holding.account, known, deployment_carrier)
        after = _with_carriers(after, command.edits, default)
    if len(after.tags) > ITEMS.most:
        return Refused("too_many", f"A number has at most {ITEMS.most} tags.", "tags")
    refusal = refusal_of_action("edit", holding, did.views, command.caller)
    if refusal is None and any(getattr(after, name) != getattr(holding, name) for name in _TECHNICAL):
        refusal = is_without_user(holding, did.views, command.caller)
    if refusal is None and changes_carriers(command.edits):
        named = named_carriers(command.edits)
        refusal = refusal_of_carriers(named, holding.account, known, deployment_carrier)
    return refusal or changed(did, after, now)


def named_carriers(edits: Edits) -> Carriers:
    """Return the carriers that an edit names; None where it names none."""
    return Carriers(
        carrier=None if edits.carrier is UNSET else edits.carrier,
        sms_carrier=None if edits.sms_carrier is UNSET else edits.sms_carrier,
    )


def user_of(holding: Holding) -> UUID | None:
    """Return the id of the user that a DID is assigned to."""
    return None if holding.user is None else UUID(holding.user)


def _is_of(holding: Holding, caller: Caller, known: Known) -> bool:
    """Return True if the DID is assigned to the user whose tokens the caller sends."""
    user_id = user_of(holding)
    user = None if user_id is None else known.get(User, user_id)
    return user is not None and user.subject == caller.subject and user.account == holding.account


def changes_carriers(edits: Edits) -> bool:
    """Return True if the edit sets features or a carrier, so that it needs the default carriers."""
    return any(getattr(edits, name) is not UNSET for name in _TECHNICAL)


def _with_texts(holding: Holding, edits: Edits) -> Holding:
    given: dict[str, Any] = {
        name: value for name in ("description", "notes") if (value := getattr(edits, name)) is not UNSET
    }
    if edits.after_hold is not UNSET:
        given["next_after_hold"] = edits.after_hold
        if holding.stock == "on_hold":
            given["after_hold"] = edits.after_hold or "back"
    tags = holding.tags if edits.tags is UNSET else edits.tags
    given["tags"] = tuple(
        tag for tag in dict.fromkeys((*tags, *edits.add_tags)) if tag not in edits.remove_tags
    )
    return replace(holding, **given)


def _with_carriers(holding: Holding, edits: Edits, default: Carriers) -> Holding:
    """Return the holding with other features or carriers. The default carrier is taken where none is given."""
    features = holding.features if edits.features is UNSET else edits.features
    present = Carriers(carrier=holding.carrier, sms_carrier=holding.sms_carrier)
    given = {name: getattr(edits, name) for name in Carriers.__struct_fields__}
    named = {name: value for name, value in given.items() if value is not UNSET}
    carriers = carriers_after_edit(features, present, named, default)
    return replace(holding, features=features, carrier=carriers.carrier, sms_carrier=carriers.sms_carrier)
