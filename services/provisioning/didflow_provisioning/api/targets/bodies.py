"""The bodies of requests about targets. Unknown fields are refused."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, SecretStr, Strict, model_validator
from pydantic_core import PydanticCustomError

from didflow_chassis.http import ErrorMessage
from didflow_contracts.accounts import AccountPath
from didflow_contracts.bounds import GROUP_TRUNKS, ITEMS, NAME, PORT, PRIORITY, RING_TIME
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.numbers import E164
from didflow_contracts.validation_errors import wrong_field
from didflow_contracts.vocabulary import Flag, Name
from didflow_provisioning.api.bodies import Body
from didflow_provisioning.domain.targets import hosts
from didflow_provisioning.domain.targets.commands import GroupTrunk

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


class SipTarget(Body):
    """A SIP endpoint."""

    uri: SipUri
    transport: Literal["udp", "tcp", "tls"] = "udp"
    codecs: tuple[Codec, ...] = Field(
        default=(), max_length=ITEMS.most, description="In order of preference. Empty: any codec."
    )


class VoiceDestination(Body):
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


class VoiceTrunkChangeBody(Body):
    """The fields of a voice trunk to change. Fields that are left out stay as they are."""

    name: Name = ""
    sip: SipTarget | None = Field(default=None, description="Another SIP endpoint, whole.")
    forward_to: E164 | None = Field(default=None, description="Another forward number.")
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
        default=None, description="Lower is tried first. Null: that of the trunk."
    )
    weight: Priority | None = Field(
        default=None, description="The share among equal priorities. Null: that of the trunk."
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


def _checked(problem_of: Callable[[str], str | None], messages: Mapping[str, str]) -> AfterValidator:
    """Return the check of a host, a URL or a mail address. Each code has its sentence."""

    def check(text: str) -> str:
        code = problem_of(text)
        if code is not None:
            raise PydanticCustomError(code, messages[code])
        return text

    return AfterValidator(check)


_NO_HOST = "Write a host name such as smpp.example.com, or a public IP address in its usual form."
_MESSAGES: Final[Mapping[str, str]] = {
    hosts.HOST_INVALID: _NO_HOST,
    hosts.URL_INVALID: "Write an http or https URL without a user and a fragment, such as https://example.com/sms.",
    hosts.EMAIL_INVALID: "Write a mail address, such as sms@example.com.",
    hosts.INTERNAL: "Write a public host. This one is internal.",
}
_Text = Annotated[str, Field(min_length=NAME.least, max_length=NAME.most)]
Host = Annotated[_Text, _checked(hosts.problem_of_host, _MESSAGES)]
CallbackUrl = Annotated[_Text, _checked(hosts.problem_of_url, _MESSAGES)]
MailAddress = Annotated[_Text, _checked(hosts.problem_of_email, _MESSAGES)]
Secret = Annotated[
    SecretStr,
    Field(
        min_length=NAME.least, max_length=NAME.most, description="Written, encrypted, and never read back."
    ),
]


class HttpTarget(Body):
    """A callback URL. What is sent to it is signed with the secret."""

    url: CallbackUrl
    secret: Secret


class SmppTarget(Body):
    """An account at an SMPP server."""

    host: Host
    port: Annotated[int, Strict(), Field(ge=PORT.least, le=PORT.most)] = 2775
    system_id: _Text
    password: Secret
    tls: Flag = True


class EmailTarget(Body):
    """A mailbox."""

    address: MailAddress


class SmsDestination(Body):
    """Where messages go: a callback URL, an SMPP server or a mailbox."""

    http: HttpTarget | None = None
    smpp: SmppTarget | None = None
    email: EmailTarget | None = None

    def _number_given(self) -> int:
        return sum(each is not None for each in (self.http, self.smpp, self.email))

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
    """What takes the place of a target."""

    by: UUID = Field(description="The target that its DIDs take.")
