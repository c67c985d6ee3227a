"""The bodies and query parameters of requests. Unknown fields are refused."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, JsonValue, Strict, model_validator

from didflow_chassis.http import ErrorMessage
from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import ITEMS, NAME, PRIORITY, RING_TIME
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.names import DidName, DidNames, parse_did
from didflow_contracts.numbers import E164
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import CarrierAction, Channels, Name
from didflow_provisioning.domain.carrier_command import CommandState
from didflow_provisioning.store.tables import carrier_commands

SipUri = Annotated[
    str,
    Field(
        max_length=NAME.most,
        pattern=r"^sips?:([A-Za-z0-9._~+*%-]{1,64}@)?([A-Za-z0-9.-]{1,190}|\[[0-9A-Fa-f:.]{2,45}\])"
        r"(:[0-9]{1,5})?(;[A-Za-z0-9=._-]{1,64})*$",
        description="A SIP or SIPS URI without a password.",
        examples=["sip:pbx.example.com:5060"],
    ),
    ErrorMessage("Write a SIP URI without a password, such as sip:pbx.example.com:5060."),
]
Seconds = Annotated[int, Strict(), Field(ge=RING_TIME.least, le=RING_TIME.most)]
Priority = Annotated[int, Strict(), Field(ge=PRIORITY.least, le=PRIORITY.most)]
Codec = Literal["opus", "g722", "pcma", "pcmu", "g729"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SipTarget(_Body):
    """A SIP endpoint."""

    uri: SipUri
    transport: Literal["udp", "tcp", "tls"] = "udp"
    codecs: tuple[Codec, ...] = Field(
        default=(), max_length=ITEMS.most, description="In order of preference. Empty: any codec."
    )


class VoiceDestination(_Body):
    """Where calls go: a SIP endpoint, or a number that calls are forwarded to."""

    sip: SipTarget | None = None
    forward_to: E164 | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.sip is None) == (self.forward_to is None):
            raise wrong_field("sip", "Send either sip or forward_to, and not both.")
        return self

    def endpoint(self, **settings: JsonValue) -> Endpoint:
        """Return the destination as carrier commands name it."""
        if self.sip is None:
            return Endpoint(kind="pstn", address=self.forward_to or "", settings=settings)
        own = self.sip.model_dump(mode="json", exclude={"uri"})
        return Endpoint(kind="sip", address=self.sip.uri, settings=own | settings)


class VoiceTrunkBody(VoiceDestination):
    """A new voice trunk."""

    name: Name
    account: AccountPath | None = Field(default=None, description="The owner. Default: your account.")
    priority: Priority = Field(default=1, description="In a group, lower is tried first.")
    weight: Priority = Field(default=1, description="In a group, the share among equal priorities.")
    ring_timeout_s: Seconds | None = Field(default=None, description="How long it may ring, in seconds.")
    failover: VoiceDestination | None = Field(default=None, description="Where calls go if the trunk fails.")

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return where calls go, in the order in which the endpoints are tried."""
        own = self.endpoint(priority=self.priority, weight=self.weight, ring_timeout_s=self.ring_timeout_s)
        return (own, self.failover.endpoint()) if self.failover else (own,)


class ReplaceBody(_Body):
    """What takes the place of a voice trunk."""

    by: UUID = Field(description="The voice trunk that its DIDs take.")


class DidsBody(_Body):
    """DIDs to change."""

    dids: DidNames = Field(description="1 to 1,000 DID ids or numbers.")


class SetVoiceBody(DidsBody):
    """The voice trunk of these DIDs."""

    voice_trunk_id: UUID


class SetCapacityBody(DidsBody):
    """The number of concurrent calls of these DIDs: channels of their own, or channels of a group."""

    capacity: Channels | None = Field(
        default=None,
        description="0 or more channels, `unlimited`, or null for not set. In a group: the channels that each DID "
        "reserves; 1 if absent or null. Required without a group.",
    )
    capacity_group_id: UUID | None = Field(
        default=None,
        description="The group whose channels are reserved. Absent or null: channels of their own.",
    )

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if self.capacity_group_id is None and "capacity" not in self.model_fields_set:
            raise wrong_field("capacity", "Send capacity, or capacity_group_id.", code="missing")
        if self.capacity_group_id is not None and self.capacity == "unlimited":
            raise wrong_field("capacity", "A DID reserves a number of channels of a capacity group.")
        return self


class CarrierCommandsQuery(BaseModel):
    """Filters of the list of carrier commands. A command must match all of them."""

    did: DidName | None = Field(default=None, description="A DID id, or a number for all its DIDs.")
    carrier: Name | None = None
    action: CarrierAction | None = None
    state: CommandState | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Return the conditions of the filters that were given."""
        if self.did is not None:
            did = parse_did(self.did)
            column = carrier_commands.c.did_id if isinstance(did, UUID) else carrier_commands.c.number
            yield sa.false() if did is None else column == did
        for name in ("carrier", "action", "state"):
            value = getattr(self, name)
            if value is not None:
                yield carrier_commands.c[name] == value
