"""The reads of users, limited to the reach of the caller."""

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.decision import Caller
from didflow_chassis.tenancy import within
from didflow_inventory.domain.accounts.users import User
from didflow_inventory.store.tables import USERS, dids, users

USER_SORTS: Final = {name: users.c[name] for name in ("name", "created_at", "account")}


def users_of(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the users in the caller's reach, each with whether it still has its default DID."""
    is_default = sa.and_(
        dids.c.did_id == users.c.default_did,
        dids.c.user == sa.cast(users.c.user_id, sa.Text),
        dids.c.in_all,
    )
    has_default = sa.exists().where(is_default).label("has_default")
    columns = (users.c[name] for name in USERS.columns)
    seen = within(users.c.account, caller), users.c.deleted.is_(False)
    return sa.select(*columns, has_default).where(*seen, *conditions)


def one_user(caller: Caller, user_id: UUID) -> sa.Select[Any]:
    """Select one user in the caller's reach."""
    return users_of(caller, users.c.user_id == user_id)


def user_of_row(row: Any) -> User:
    """Return the user of a row."""
    return USERS.from_row([row[name] for name in USERS.columns]).state
