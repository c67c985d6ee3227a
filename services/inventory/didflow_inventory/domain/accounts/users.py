"""The users of enterprises: PBX, trunk and SMS users. A user's DIDs are the DIDs whose `user` is the id of the user.

A user is deleted only while it has no live DID. The DIDs are counted under the user's exclusive lock. Every decision
that gives a DID to a user holds the same lock. Source: spec inventory, Accounts and holders.
"""

from datetime import datetime
from operator import attrgetter
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.commands import ChangeUser, CreateUser, DeleteUser
from didflow_inventory.domain.accounts.reach import is_managed
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.history.things import Thing, recorded_fields
from didflow_inventory.domain.holding import Holding

UserKind = Literal["pbx", "trunk", "sms"]
SET_EXTENSIONS: Final = frozenset(("operator", "service"))
"""The roles that create users with an extension. New users take the exact number."""

PERSONAL: Final = ("name", "email", "subject", "extension")
"""The fields with personal data. They are in the row of the user alone, and a deleted user has none."""

NOT_FOUND: Final = Refused("not_found", "No such user in your accounts.", "user_id")


class User(Struct, frozen=True, kw_only=True):
    """A user of an enterprise. `subject` is the `sub` of the tokens that see the DIDs of this user.

    `default_did` is the DID that was last made the default, with its number. It counts only while it is a live DID of
    this user (`default_of`). `extension` is the calling code and an extension. A deleted user gets no DID.
    """

    user_id: UUID
    account: str
    name: str
    kind: UserKind
    subject: str | None = None
    email: str | None = None
    default_did: UUID | None = None
    default_number: str | None = None
    sms_enabled: bool = False
    extension: str | None = None
    created_at: datetime
    deleted: bool = False


THING: Final = Thing(
    name="user",
    model=User,
    key_of=attrgetter("user_id"),
    account_of=attrgetter("account"),
    changes=recorded_fields(User, without=["user_id"], masked=PERSONAL),
)


class UserUse(Struct, frozen=True, kw_only=True):
    """The number of live DIDs of a user. There is no such state for zero. `user_id` is written as text."""

    user_id: str
    dids: int


def create_user(user: User | None, command: CreateUser, now: datetime, known: Known) -> Decision:
    """Create a user without a DID. Refused `not_found` (the account), `not_an_enterprise`, `extension_not_allowed`."""
    if user is not None:
        return Unchanged(answer=user)
    created = created_user(command, now, known)
    return created if isinstance(created, Refused) else Decided(state=created, answer=created)


def change_user(user: User | None, command: ChangeUser, now: datetime, known: Known) -> Decision:  # noqa: ARG001
    """Change a user. A default DID that it no longer has is dropped.

    Refused `not_found`, `extension_not_allowed`, and `in_use` for a user that has more DIDs than it could have then.
    """
    changed = changed_user(user, command, known)
    if isinstance(changed, Refused):
        return changed
    if default_of(changed, known) is None:
        changed = replace(changed, default_did=None, default_number=None)
    return Unchanged(answer=user) if changed == user else Decided(state=changed, answer=changed)


def delete_user(user: User | None, command: DeleteUser, now: datetime, known: Known) -> Decision:  # noqa: ARG001
    """Delete a user: its personal data goes, and its id stays in histories.

    Refused `not_found`, and `in_use` with the count while it has live DIDs.
    """
    if not is_managed(user, command.caller):
        return NOT_FOUND
    use = known.get(UserUse, str(user.user_id))
    if use is not None:
        return Refused("in_use", f"This user has {use.dids} live DIDs. Unassign them, then delete the user.")
    without: dict[str, Any] = dict.fromkeys(PERSONAL) | {"name": ""}
    return Decided(state=replace(user, **without, deleted=True))


def created_user(command: CreateUser, now: datetime, known: Known) -> User | Refused:
    """Return a new user, or the refusal."""
    account = known.get(Account, command.account)
    if account is None or not command.caller.reaches(account.path):
        return Refused("not_found", "No such account in your reach.", "account")
    if account.kind != "enterprise":
        return Refused("not_an_enterprise", "Only an enterprise has users.", "account")
    if command.fields.get("extension") is not None and command.caller.role not in SET_EXTENSIONS:
        return _no_extension("New users take the exact number.")
    user_id = UUID(str(command.entity_id))
    return User(user_id=user_id, account=command.account, created_at=now, **command.fields)


def changed_user(user: User | None, command: ChangeUser, known: Known) -> User | Refused:
    """Return the changed user, or the refusal.

    Only a user that has an extension gets another one. A PBX or trunk user with further DIDs keeps its messages.
    """
    if not is_managed(user, command.caller):
        return NOT_FOUND
    if command.changes.get("extension") is not None and user.extension is None:
        return _no_extension("This user has no extension. Its number is the exact one.")
    if loses_messages(user, command):
        use = known.get(UserUse, str(user.user_id))
        if use is not None and use.dids > 1:
            message = (
                f"Without messages it can have one DID, and it has {use.dids}. Unassign the others first."
            )
            return Refused("in_use", message, "sms_enabled")
    return replace(user, **command.changes)


def loses_messages(user: User, command: ChangeUser) -> bool:
    """Return True if a change takes the further DIDs, which receive messages, from a PBX or trunk user."""
    return user.kind != "sms" and user.sms_enabled and command.changes.get("sms_enabled") is False


def user_with_did(user: User, holding: Holding, known: Known, *, as_default: bool = False) -> User | Refused:
    """Return a user that gets a DID, or the refusal. It is the one rule of which DIDs a user can have.

    An SMS user has any number of DIDs. A PBX or trunk user has one, its default DID, and with `sms_enabled` further
    ones that receive messages. `as_default` makes the DID the default of an SMS user too. The present default DID of
    the user must be known (`needs.default_did_of`).

    Refused `not_found` unless the user is one of the DID's holder, and `user_has_default`.
    """
    if user.deleted or user.account != holding.account:
        return NOT_FOUND
    present = default_of(user, known)
    if present == holding.did_id or (user.kind == "sms" and not as_default):
        return user
    if present is None or user.kind == "sms":
        return replace(user, default_did=holding.did_id, default_number=holding.number)
    if user.sms_enabled and "sms_in" in holding.features and not as_default:
        return user
    return Refused("user_has_default", "This user has a number already.", "user_id")


def default_of(user: User, known: Known) -> UUID | None:
    """Return the id of the default DID of a user; None if it has none, or no longer has it."""
    if user.default_did is None:
        return None
    did = known.get(Did, user.default_did)
    is_here = did is not None and did.holding.is_live and did.holding.user == str(user.user_id)
    return user.default_did if is_here else None


def _no_extension(message: str) -> Refused:
    return Refused("extension_not_allowed", message, "extension")
