"""The bodies of requests about targets. Unknown fields are refused."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, Strict, model_validator

from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import GROUP_TRUNKS, ITEMS, PORT, PRIORITY, RING_TIME
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import Flag, Name
from didflow_provisioning.api.bodies import Body
from didflow_provisioning.api.targets.addresses import (
    CallbackUrl,
    ForwardNumber,
    Host,
    MailAddress,
    Password,
    SipUri,
    SystemId,
    WebhookSecret,
    host_of,
)
from didflow_provisioning.domain.targets.commands import GroupTrunk

Seconds = Annotated[int, Strict(), Field(ge=RING_TIME.least, le=RING_TIME.most)]
Priority = Annotated[int, Strict(), Field(ge=PRIORITY.least, le=PRIORITY.most)]
Codec = Literal["opus", "g722", "pcma", "pcmu", "g729"]


def _each_once(codecs: tuple[Codec, ...]) -> tuple[Codec, ...]:
    if len(set(codecs)) < len(codecs):
        raise ValueError("Name each codec once.")
    return codecs


class SipEndpoint(Body):
    """A SIP endpoint."""

    uri: SipUri
    transport: Literal["udp", "tcp", "tls"] | None = Field(
        default=None, description="Null: udp, or tls for a SIPS URI. A SIPS URI can have tls only."
    )
    codecs: Annotated[tuple[Codec, ...], Field(max_length=ITEMS.most), AfterValidator(_each_once)] = Field(
        default=(), description="In order of preference, each once. Empty: any codec."
    )

    @model_validator(mode="after")
    def _sips_needs_tls(self) -> Self:
        if self.uri.startswith("sips:") and self.transport not in (None, "tls"):
            raise wrong_field("transport", "Use the transport tls for a SIPS URI.")
        return self

    def endpoint(self, **settings: JsonValue) -> Endpoint:
        """Return the SIP endpoint as carrier commands name it."""
        transport = self.transport or ("tls" if self.uri.startswith("sips:") else "udp")
        own: dict[str, JsonValue] = {"transport": transport, "codecs": list(self.codecs)}
        return Endpoint(kind="sip", address=self.uri, settings=own | settings)


class VoiceDestination(Body):
    """Where calls go: a SIP endpoint, or a number that calls are forwarded to."""

    sip: SipEndpoint | None = None
    forward_to: ForwardNumber | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.sip is None) == (self.forward_to is None):
            raise wrong_field("sip", "Send either sip or forward_to, and not both.")
        return self

    def endpoint(self, **settings: JsonValue) -> Endpoint:
        """Return the destination as carrier commands name it."""
        if self.sip is None:
            return Endpoint(kind="pstn", address=self.forward_to or "", settings=settings)
        return self.sip.endpoint(**settings)

    def hosts(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Yield the field and the host of the SIP endpoint."""
        if self.sip is not None:
            yield f"{prefix}sip.uri", host_of(self.sip.uri)


class VoiceTrunkBody(VoiceDestination):
    """A new voice trunk."""

    name: Name
    account: AccountPath | None = Field(default=None, description="The owner. Default: your account.")
    priority: Priority = Field(default=1, description="In a group, the lowest is tried first.")
    weight: Priority = Field(
        default=1,
        description="In a group, how many of the calls it gets among equal priorities, in proportion.",
    )
    ring_timeout_s: Seconds | None = Field(default=None, description="How long a call may ring, in seconds.")
    failover: VoiceDestination | None = Field(default=None, description="Where calls go if the trunk fails.")

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return where calls go, in the order in which the endpoints are tried."""
        own = self.endpoint(priority=self.priority, weight=self.weight, ring_timeout_s=self.ring_timeout_s)
        return (own, self.failover.endpoint()) if self.failover else (own,)

    def hosts(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Yield the field and the host of each SIP endpoint."""
        yield from super().hosts(prefix)
        if self.failover is not None:
            yield from self.failover.hosts(f"{prefix}failover.")


class VoiceTrunkChangeBody(Body):
    """The fields of a voice trunk to change. Fields that are left out stay as they are."""

    name: Name = ""
    sip: SipEndpoint | None = Field(default=None, description="Another SIP endpoint, whole.")
    forward_to: ForwardNumber | None = Field(default=None, description="Another forward number.")
    priority: Priority = 1
    weight: Priority = 1
    ring_timeout_s: Seconds | None = None
    failover: VoiceDestination | None = Field(default=None, description="Null removes it.")

    @model_validator(mode="after")
    def _at_most_one_destination(self) -> Self:
        given = self.model_fields_set & {"sip", "forward_to"}
        if given and (self.sip is None) == (self.forward_to is None):
            raise wrong_field("sip", "Send either sip or forward_to, and not both.")
        return self

    def hosts(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the host of each SIP endpoint."""
        if self.sip is not None:
            yield "sip.uri", host_of(self.sip.uri)
        if self.failover is not None:
            yield from self.failover.hosts("failover.")

    def changes(self) -> Mapping[str, Any]:
        """Return the fields of `ChangeVoiceTrunk` that were given."""
        given = self.model_fields_set
        changes: dict[str, Any] = {"name": self.name or None}
        if given & {"sip", "forward_to"}:
            changes["destination"] = VoiceDestination(sip=self.sip, forward_to=self.forward_to).endpoint()
        if "failover" in given:
            changes["failover"] = (self.failover.endpoint(),) if self.failover else ()
        settings = {name: getattr(self, name) for name in ("priority", "weight", "ring_timeout_s")}
        return changes | {"settings": {name: value for name, value in settings.items() if name in given}}


class GroupTrunkBody(Body):
    """A voice trunk of a group."""

    voice_trunk_id: UUID
    priority: Priority | None = Field(
        default=None, description="The lowest is tried first. Null: that of the trunk."
    )
    weight: Priority | None = Field(
        default=None,
        description="How many of the calls it gets among equal priorities, in proportion. Null: that of the trunk.",
    )


def _distinct(trunks: tuple[GroupTrunkBody, ...]) -> tuple[GroupTrunkBody, ...]:
    if len({each.voice_trunk_id for each in trunks}) < len(trunks):
        raise ValueError("Name each voice trunk once.")
    return trunks


GroupTrunks = Annotated[
    tuple[GroupTrunkBody, ...],
    Field(min_length=GROUP_TRUNKS.least, max_length=GROUP_TRUNKS.most),
    AfterValidator(_distinct),
]


def _group_trunks(trunks: tuple[GroupTrunkBody, ...]) -> tuple[GroupTrunk, ...]:
    return tuple(GroupTrunk(**each.model_dump()) for each in trunks)


class VoiceTrunkGroupBody(Body):
    """A new voice trunk group."""

    name: Name
    account: AccountPath | None = Field(default=None, description="The owner. Default: your account.")
    trunks: GroupTrunks = Field(description="Voice trunks of the owner and of the accounts above.")

    def group_trunks(self) -> tuple[GroupTrunk, ...]:
        """Return the trunks as the decisions use them."""
        return _group_trunks(self.trunks)


class VoiceTrunkGroupChangeBody(Body):
    """The fields of a voice trunk group to change. Fields that are left out stay as they are."""

    name: Name = ""
    trunks: GroupTrunks = Field(default=(), description="All its trunks.")

    def changes(self) -> Mapping[str, Any]:
        """Return the fields of `ChangeVoiceTrunkGroup`."""
        return {"name": self.name or None, "trunks": _group_trunks(self.trunks)}


class HttpEndpoint(Body):
    """A callback URL. What is sent to it is signed with the secret."""

    url: CallbackUrl
    secret: WebhookSecret


class SmppEndpoint(Body):
    """An account at an SMPP server."""

    host: Host
    port: Annotated[int, Strict(), Field(ge=PORT.least, le=PORT.most)] = 2775
    system_id: SystemId
    password: Password
    tls: Flag = True


class EmailEndpoint(Body):
    """A mailbox."""

    address: MailAddress


class SmsDestination(Body):
    """Where messages go: a callback URL, an SMPP server or a mailbox."""

    http: HttpEndpoint | None = None
    smpp: SmppEndpoint | None = None
    email: EmailEndpoint | None = None

    def _number_given(self) -> int:
        return sum(each is not None for each in (self.http, self.smpp, self.email))

    def hosts(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the host of the SMPP server."""
        if self.smpp is not None:
            yield "smpp.host", self.smpp.host

    def endpoint(self) -> Endpoint | None:
        """Return the destination as carrier commands name it, without its secret."""
        if self.http is not None:
            return Endpoint(kind="http", address=self.http.url)
        if self.smpp is not None:
            settings = self.smpp.model_dump(mode="json", include={"port", "system_id", "tls"})
            return Endpoint(kind="smpp", address=self.smpp.host, settings=settings)
        return Endpoint(kind="email", address=self.email.address) if self.email else None

    def secret(self) -> bytes | None:
        """Return the secret of the destination; None if it has none."""
        written = self.http.secret if self.http else self.smpp.password if self.smpp else None
        return written.get_secret_value().encode() if written else None


class SmsTrunkBody(SmsDestination):
    """A new SMS trunk."""

    name: Name
    account: AccountPath | None = Field(default=None, description="The owner. Default: your account.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if self._number_given() != 1:
            raise wrong_field("http", "Send one of http, smpp and email.")
        return self


class SmsTrunkChangeBody(SmsDestination):
    """The fields of an SMS trunk to change. A destination is sent whole, with its secret."""

    name: Name = ""

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        given = self.model_fields_set & {"http", "smpp", "email"}
        if given and self._number_given() != 1:
            raise wrong_field("http", "Send one of http, smpp and email.")
        return self


class ReplaceBody(Body):
    """The target that replaces another one."""

    by: UUID = Field(description="The target that its DIDs take.")
