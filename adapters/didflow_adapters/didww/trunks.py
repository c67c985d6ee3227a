"""The trunks and trunk groups at DIDWW that deliver calls as a voice target of didflow says.

Their `external_reference_id` names the voice target: `<id>/<position>` for the trunk of an endpoint, `<id>` for a
group. They are found by it, created if they do not exist, and changed if they differ. None is ever deleted.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from didww.enums import CliFormat, Codec, TransportProtocol
from didww.exceptions import DidwwApiError
from didww.query_params import QueryParams
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

from didflow_adapters.didww.api import Client, Refused, first
from didflow_contracts.events.carrier import Endpoint, VoiceDelivery

LONGEST_RING_S: Final = 32
RING_S: Final = 30
LONGEST_NAME: Final = 50
_UNPROCESSABLE: Final = 422
_SIP_URI: Final = re.compile(
    r"(sips?):(?:([^@]+)@)?(\[[^\]]+\]|[^:;?\[]+)(?::(\d+))?(?:[;?].*)?", re.IGNORECASE
)
_DEFAULT_CODECS: Final = ("pcmu", "pcma", "g729", "g723", "telephone_event")
"""DIDWW's documented default. It is written, so that a trunk whose codecs are removed has it again."""

_LOCKS: Final = tuple(threading.Lock() for _ in range(64))
"""One command at a time looks for the trunks of a voice target, so it is created once."""


@dataclass(frozen=True, slots=True)
class Target:
    """A trunk or a group at DIDWW: `kind` is `trunk` or `group`, `id` is the id there."""

    kind: str
    id: str


def target_of(client: Client, voice: VoiceDelivery | None) -> Target | None:
    """Return what delivers to these endpoints with their present settings: a trunk, or a group of several.

    Raises Refused if DIDWW cannot deliver to an endpoint.
    """
    if voice is None:
        return None
    wanted = list(_trunks(voice))
    if not wanted:
        raise Refused("bad_request", "The voice target has no endpoint.")
    with _LOCKS[hash(voice.id) % len(_LOCKS)]:
        trunks = [_stored(client.voice_in_trunks(), trunk) for trunk in wanted]
        if len(trunks) == 1:
            return Target("trunk", trunks[0])
        group = VoiceInTrunkGroup()
        group.external_reference_id = str(voice.id)
        group.name = f"{voice.name[:LONGEST_NAME]} [{voice.id}]"
        group.voice_in_trunks = [VoiceInTrunk.build(trunk) for trunk in trunks]
        return Target("group", _stored(client.voice_in_trunk_groups(), group, "voice_in_trunks"))


def _stored(repository: Any, wanted: Any, *include: str) -> str:
    """Create a trunk or group, or change the one with this reference. Return its id.

    Names are unique at DIDWW. If another process has created it meanwhile, the creation is refused and it is found.
    Every reply must include the members of a group: the SDK fails on members that a reply only names.
    """
    reference = wanted.external_reference_id
    query = QueryParams().filter("external_reference_id", reference).include(*include)
    replied = QueryParams().include(*include)
    found = first(repository.list(query).data, "external_reference_id", reference)
    if found is None:
        try:
            return str(repository.create(wanted, replied).data.id)
        except DidwwApiError as error:
            if error.status_code != _UNPROCESSABLE:
                raise
            found = first(repository.list(query).data, "external_reference_id", reference)
            if found is None:
                raise
    if not _has(found.attributes, wanted.attributes) or _members(found) != _members(wanted):
        wanted.id = found.id
        repository.update(wanted, replied)
    return str(found.id)


def _members(group: Any) -> set[str]:
    return (
        {trunk.id for trunk in group.voice_in_trunks or ()} if isinstance(group, VoiceInTrunkGroup) else set()
    )


def _has(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return True if every value that is wanted was found. Null, false, zero and absent are the same."""
    for key, value in wanted.items():
        present = found.get(key)
        if isinstance(value, Mapping) and isinstance(present, Mapping):
            if not _has(present, value):
                return False
        elif (present or None) != (value or None):
            return False
    return True


def _trunks(voice: VoiceDelivery) -> Iterator[VoiceInTrunk]:
    """Build a trunk for each endpoint. One without a priority is a failover, and comes after those before it."""
    priority = -1
    for position, endpoint in enumerate(voice.endpoints):
        priority = _whole(endpoint, "priority", priority + 1)
        trunk = VoiceInTrunk()
        trunk.external_reference_id = f"{voice.id}/{position}"
        trunk.name = f"{voice.name[:LONGEST_NAME]} [{voice.id}/{position}]"
        trunk.priority, trunk.weight = priority, _whole(endpoint, "weight", 1)
        trunk.ringing_timeout = min(_whole(endpoint, "ring_timeout_s", RING_S), LONGEST_RING_S)
        trunk.cli_format = CliFormat.E164
        trunk.configuration = _pstn(endpoint) if endpoint.kind == "pstn" else _sip(endpoint)
        yield trunk


def _whole(endpoint: Endpoint, setting: str, default: int) -> int:
    value = endpoint.settings.get(setting)
    return value if isinstance(value, int) else default


def _pstn(endpoint: Endpoint) -> PstnConfiguration:
    pstn = PstnConfiguration()
    pstn.dst = endpoint.address.removeprefix("+")
    return pstn


def _sip(endpoint: Endpoint) -> SipConfiguration:
    """Build the configuration. `{DID}` stands for the called number; without a port, DIDWW looks up SRV records."""
    uri = _SIP_URI.fullmatch(endpoint.address)
    if endpoint.kind != "sip" or uri is None:
        raise Refused(
            "bad_request", f"DIDWW cannot deliver calls to this endpoint of the kind {endpoint.kind}."
        )
    transport = "tls" if uri[1].lower() == "sips" else endpoint.settings.get("transport") or "udp"
    sip = SipConfiguration()
    sip.username, sip.host, sip.port = uri[2] or "{DID}", uri[3], int(uri[4]) if uri[4] else None
    sip.transport_protocol_id = TransportProtocol[str(transport).upper()]
    sip.codec_ids = _codecs(endpoint)
    return sip


def _codecs(endpoint: Endpoint) -> list[Codec]:
    """Return the codecs that DIDWW has, in the order of the endpoint."""
    names: Any = endpoint.settings.get("codecs") or _DEFAULT_CODECS
    codecs = [Codec[name.upper()] for name in names if name.upper() in Codec.__members__]
    if not codecs:
        raise Refused("bad_request", "DIDWW has none of the codecs of this endpoint.")
    return codecs
