"""The commands about accounts, users, operators and carriers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from didflow_chassis.decision import Command


@dataclass(frozen=True, kw_only=True)
class CreateAccount(Command):
    """Create the account `path`. `properties` are all fields of the account besides `path` and `created_at`."""

    path: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ChangeAccount(Command):
    """Change an account. `changes` are the fields that are set anew."""

    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class CreateUser(Command):
    """Create a user of an enterprise. `fields` are the other fields that a caller gives."""

    account: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ChangeUser(Command):
    """Change a user. `changes` are the fields that are set anew."""

    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeleteUser(Command):
    """Delete a user that has no numbers."""


@dataclass(frozen=True, kw_only=True)
class SetDefaultDid(Command):
    """Create or change a user, and make the DID `entity_id` its default DID, in one step.

    `account` is that of the user. If there is no such DID, the number `subject` becomes one, as an external number.
    """

    account: str
    user: CreateUser | ChangeUser


@dataclass(frozen=True, kw_only=True)
class CreateCarrier(Command):
    """Create a carrier."""

    account: str
    name: str
    kind: Literal["voice", "sms", "both"]


@dataclass(frozen=True, kw_only=True)
class ChangeCarrier(Command):
    """Change a carrier. `changes` are the fields that are set anew."""

    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeleteCarrier(Command):
    """Delete a carrier that nothing names."""


@dataclass(frozen=True, kw_only=True)
class CreateOperator(Command):
    """Create an operator."""

    account: str
    name: str
    countries: tuple[str, ...] = ()
    notes: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeOperator(Command):
    """Change an operator. `changes` are the fields that are set anew."""

    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeleteOperator(Command):
    """Delete an operator that no number in stock names."""
