"""What targets, capacity groups and configuration profiles have in common: an owner, and whom they serve.

Source: spec provisioning, Routing.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct

from didflow_chassis.decision import Caller, Decided, Decision, Refused, Unchanged
from didflow_contracts.accounts import is_within

LIVE_DID: Final = "live DID"
NO_ACCOUNT: Final = Refused("not_found", "No such account among your accounts.", "account")


class ServesBelow(Struct, frozen=True, kw_only=True):
    """A thing of an account. It serves the account and the accounts below. A deleted one serves no DID."""

    account: str
    name: str
    created_at: datetime
    deleted: bool = False

    def serves(self, account: str) -> bool:
        """Return True if a DID of this account may use it."""
        return not self.deleted and is_within(account, self.account)

    def is_usable_by(self, caller: Caller) -> bool:
        """Return True if the caller reaches it or is served by it. It is the rule of `serving`."""
        return not self.deleted and (self.serves(caller.account) or caller.reaches(self.account))

    def is_changeable_by(self, caller: Caller) -> bool:
        """Return True if the caller reaches it. Nobody else learns whether it exists or is in use."""
        return not self.deleted and caller.reaches(self.account)


def not_found(what: str, field: str | None = None) -> Refused:
    """Return the refusal of a thing that does not exist for the caller. `what` is what it is called."""
    return Refused("not_found", f"No such {what} in your accounts.", field)


def created(existing: ServesBelow | None, new: ServesBelow, caller: Caller) -> Decision:
    """Create a thing. Refused `not_found` if the caller does not reach the account."""
    if existing is not None:
        return Unchanged(answer=existing)
    return Decided(state=new, answer=new) if caller.reaches(new.account) else NO_ACCOUNT


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, such as `1 live DID` or `3 live DIDs`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
