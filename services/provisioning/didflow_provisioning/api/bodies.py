"""What callers send: bodies and query strings, strict about what they do not know."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Final, Literal, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from didflow_chassis.http import parse_name
from didflow_contracts.accounts import AccountPath
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.numbers import E164
from didflow_contracts.vocabulary import CarrierAction, Channels, Name
from didflow_provisioning.domain.carrier_command import CommandState
from didflow_provisioning.store import commands

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)

SipUri = Annotated[
    str,
    Field(
        max_length=255,
        pattern=r"^sips?:([A-Za-z0-9._~+*%-]{1,64}@)?([A-Za-z0-9.-]{1,190}|\[[0-9A-Fa-f:.]{2,45}\])"
        r"(:[0-9]{1,5})?(;[A-Za-z0-9=._-]{1,64})*$",
        description="A SIP or SIPS URI without a password.",
        examples=["sip:pbx.example.com:5060"],
    ),
]
Seconds = Annotated[int, Field(ge=1, le=600)]
Codec = Literal["opus", "g722", "pcma", "pcmu", "g729"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Sip(_Body):
    """A SIP destination."""

    uri: SipUri
    transport: Literal["udp", "tcp", "tls"] = "udp"
    codecs: tuple[Codec, ...] = Field(default=(), max_length=10, description="In order; empty: any.")


class Destination(_Body):
    """Where calls go: a SIP URI, or a number that they are forwarded to."""

    sip: Sip | None = None
    forward_to: E164 | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.sip is None) == (self.forward_to is None):
            raise ValueError("give either sip or forward_to")
        return self

    def endpoint(self, **settings: JsonValue) -> Endpoint:
        """Say it as a carrier is told."""
        if self.sip is None:
            return Endpoint(kind="pstn", address=self.forward_to or "", settings=settings)
        own = self.sip.model_dump(mode="json", exclude={"uri"})
        return Endpoint(kind="sip", address=self.sip.uri, settings=own | settings)


class VoiceTrunkBody(Destination):
    """A new voice trunk."""

    name: Name
    account: AccountPath | None = Field(default=None, description="Whose it is; the caller's if absent.")
    priority: int = Field(default=1, ge=0, le=65535, description="Lower is tried first in a group.")
    weight: int = Field(default=1, ge=0, le=65535, description="Share among equal priorities in a group.")
    ring_timeout_s: Seconds | None = Field(default=None, description="How long it may ring.")
    failover: Destination | None = Field(default=None, description="Where calls go when this fails.")

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Say where calls go, in the order in which it is tried."""
        own = self.endpoint(priority=self.priority, weight=self.weight, ring_timeout_s=self.ring_timeout_s)
        return (own, self.failover.endpoint()) if self.failover else (own,)


class DidsBody(_Body):
    """Some DIDs."""

    dids: list[str] = Field(description="1 to 1,000 ids or numbers.")


class SetVoiceBody(DidsBody):
    """Where the calls of these DIDs go."""

    voice_trunk_id: UUID


class SetCapacityBody(DidsBody):
    """How many calls these DIDs take at once."""

    capacity: Channels | None = Field(description="0 or more channels, `unlimited`, or null for none set.")


class CommandsQuery(BaseModel):
    """What the commands can be narrowed down by; all that is given must hold."""

    did: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="One DID by its id, or all DIDs of a number."
    )
    carrier: Name | None = None
    action: CarrierAction | None = None
    state: CommandState | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Give what must hold besides the caller's reach."""
        if self.did is not None:
            named = names_among([self.did]).get(self.did)
            column = commands.c.did_id if isinstance(named, UUID) else commands.c.number
            yield sa.false() if named is None else column == named
        for name in ("carrier", "action", "state"):
            value = getattr(self, name)
            if value is not None:
                yield commands.c[name] == value


def names_among(texts: Iterable[str]) -> Mapping[str, UUID | str]:
    """Give what each text names, id or E.164 number; what can name neither is left out."""
    named = {text: parse_name(text) for text in texts}
    return {t: name for t, name in named.items() if isinstance(name, UUID) or _E164.fullmatch(name)}
