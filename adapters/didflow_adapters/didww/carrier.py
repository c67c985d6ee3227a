"""What each action writes to the DID at DIDWW."""

import asyncio
import re
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from didww.exceptions import DidwwApiError
from didww.query_params import QueryParams
from didww.resources.did import Did
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from requests.exceptions import RequestException

from didflow_adapters.didww.api import Client, Refused, failure_of, first
from didflow_adapters.didww.trunks import Target, target_of
from didflow_adapters.kit import Failed, Outcome, Succeeded, before_request
from didflow_contracts.events import CarrierCommandIssued
from didflow_contracts.events.carrier import (
    ActivateParameters,
    ReleaseParameters,
    ResumeParameters,
    SetCapacityParameters,
    SetSmsParameters,
    SetVoiceParameters,
    SuspendParameters,
    VoiceDelivery,
)
from didflow_contracts.vocabulary import Channels

REGISTRATION_RETRY_S: Final = 3_600
_NOTE: Final = re.compile(r" ?\[suspended by didflow(?:: (trunk|group) ([^\]]+))?\]$")
_NOT_OURS: Final = Failed(code="number_not_ours", message="The account at DIDWW does not have this number.")
_NO_SMS: Final = Failed(
    code="unsupported",
    message="The SDK of DIDWW has no SMS trunks (API version 2026-04-16). Use another SMS carrier for this number.",
)


_GIVEN_UP: Final[ContextVar[threading.Event]] = ContextVar("given_up")
"""Set when nobody waits for the present command any more: its call took too long, or the process stops."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a DID shall be. A field that is None stays as it is; the one value of a tuple is wanted."""

    voice: tuple[VoiceDelivery | None] | None = None
    capacity: tuple[Channels | None] | None = None
    suspended: bool | None = None
    terminated: bool | None = None


class DidwwCarrier:
    """The DIDs of one account at DIDWW. The SDK is synchronous, so each command runs in a thread.

    A number that the account does not have fails for good as `number_not_ours`.
    """

    def __init__(self, api_key: str, url: str, *, name: str = "didww", concurrency: int = 20) -> None:
        self.name = name
        self._api_key, self._url = api_key, url
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix=name)
        self._of_thread = threading.local()

    async def activate(self, command: CarrierCommandIssued, parameters: ActivateParameters) -> Outcome:
        """Set the trunk and the capacity, and restore a DID that was canceled."""
        if parameters.sms is not None:
            return _NO_SMS
        voice, capacity = (parameters.voice,), (parameters.capacity,)
        return await self._write(
            command, Wanted(voice=voice, capacity=capacity, suspended=False, terminated=False)
        )

    async def suspend(self, command: CarrierCommandIssued, parameters: SuspendParameters) -> Outcome:  # noqa: ARG002
        """Take the trunk from the DID, and keep it in a note. The API has no suspension."""
        return await self._write(command, Wanted(suspended=True))

    async def resume(self, command: CarrierCommandIssued, parameters: ResumeParameters) -> Outcome:  # noqa: ARG002
        """Set the trunk of the note."""
        return await self._write(command, Wanted(suspended=False))

    async def release(self, command: CarrierCommandIssued, parameters: ReleaseParameters) -> Outcome:
        """Take trunk and channels from the DID, and cancel it unless it is kept. A DID that is gone is released."""
        terminated = None if parameters.keep else True
        wanted = Wanted(voice=(None,), capacity=(None,), suspended=False, terminated=terminated)
        outcome = await self._write(command, wanted)
        return Succeeded() if outcome == _NOT_OURS and not parameters.keep else outcome

    async def set_voice(self, command: CarrierCommandIssued, parameters: SetVoiceParameters) -> Outcome:
        """Create or change the trunk at DIDWW, and set it. A suspended DID gets it when it is resumed."""
        return await self._write(command, Wanted(voice=(parameters.voice,)))

    async def set_capacity(self, command: CarrierCommandIssued, parameters: SetCapacityParameters) -> Outcome:
        """Set the limit of concurrent calls, and take the channels that it needs from the DID's capacity pool."""
        return await self._write(command, Wanted(capacity=(parameters.capacity,)))

    async def set_sms(self, command: CarrierCommandIssued, parameters: SetSmsParameters) -> Outcome:  # noqa: ARG002
        """Refuse an SMS trunk. That there is none is true already."""
        return Succeeded() if parameters.sms is None else _NO_SMS

    async def _write(self, command: CarrierCommandIssued, wanted: Wanted) -> Outcome:
        """Write in a thread. A thread cannot be canceled, so it begins no request after this call was given up.

        Otherwise it would write when the next command of the number may have been carried out already.
        """
        given_up = threading.Event()
        _GIVEN_UP.set(given_up)
        loop, context = asyncio.get_running_loop(), copy_context()
        try:
            return await loop.run_in_executor(
                self._threads, context.run, self._outcome, loop, command.number, wanted
            )
        finally:
            given_up.set()

    def _outcome(self, loop: asyncio.AbstractEventLoop, number: str, wanted: Wanted) -> Outcome:
        try:
            return write_difference(self._client(loop), number.removeprefix("+"), wanted)
        except Refused as refused:
            return refused.outcome
        except DidwwApiError as error:
            return failure_of(error)
        except RequestException as error:
            return Failed(code="carrier_unavailable", message=type(error).__name__, retryable=True)

    def _client(self, loop: asyncio.AbstractEventLoop) -> Client:
        """Return the client of this thread: a session of `requests` belongs to one thread."""
        client: Client | None = getattr(self._of_thread, "client", None)
        if client is None:
            wait = partial(_wait_for_place, loop)
            client = self._of_thread.client = Client(self._api_key, self._url, wait)
        return client


def _wait_for_place(loop: asyncio.AbstractEventLoop) -> None:
    """Wait in a thread until the next request of the present call may begin.

    Raises CarrierPaused, and CancelledError if the call was given up.
    """
    given_up = _GIVEN_UP.get()
    if not given_up.is_set():
        asyncio.run_coroutine_threadsafe(before_request(), loop).result()
    if given_up.is_set():
        raise CancelledError


def write_difference(client: Client, number: str, wanted: Wanted) -> Outcome:
    """Read a DID, and write what differs. Raises Refused, DidwwApiError, RequestException."""
    query = QueryParams().filter("number", number).include("voice_in_trunk", "voice_in_trunk_group")
    did = first(client.dids().list(query).data, "number", number)
    if did is None:
        return _NOT_OURS
    if wanted.terminated is False:
        _refuse_out_of_service(did)
    was_suspended, description, target = _known(did)
    if wanted.voice is not None:
        target = target_of(client, wanted.voice[0])
    suspended = was_suspended if wanted.suspended is None else wanted.suspended
    attributes: dict[str, Any] = {
        "description": (description + _note(target)).strip() if suspended else description
    }
    if wanted.capacity is not None:
        attributes |= _capacity(did, wanted.capacity[0])
    if wanted.terminated is not None:
        attributes["terminated"] = wanted.terminated
    change = Did.build(did.id)
    has_target = _set_target(did, change, None if suspended else target)
    differing = {name: value for name, value in attributes.items() if _read(did, name) != value}
    if differing or has_target:
        change.attributes.update(differing)
        client.dids().update(change)
    return Succeeded(carrier_reference=did.id)


def _read(did: Any, attribute: str) -> Any:
    """Return an attribute of the DID. A limit that is null means no limit; null elsewhere means nothing."""
    value = did.attributes.get(attribute)
    empty: Any = {"description": "", "dedicated_channels_count": 0, "terminated": False}.get(attribute)
    return empty if value is None else value


def _refuse_out_of_service(did: Any) -> None:
    if did.awaiting_registration:
        message = "DIDWW waits for the registration of this number."
        raise Refused("registration_pending", message, retry_after_s=REGISTRATION_RETRY_S)
    if did.blocked and not did.terminated:
        raise Refused("number_blocked", "The number has expired, or DIDWW has suspended it.")


def _known(did: Any) -> tuple[bool, str, Target | None]:
    """Return whether the DID is suspended, its description without our note, and its trunk or group."""
    description = did.description or ""
    note = _NOTE.search(description)
    if note:
        return True, description[: note.start()], Target(note[1], note[2]) if note[1] else None
    for kind, related in (("trunk", did.voice_in_trunk), ("group", did.voice_in_trunk_group)):
        if related is not None:
            return False, description, Target(kind, related.id)
    return False, description, None


def _note(target: Target | None) -> str:
    return f" [suspended by didflow: {target.kind} {target.id}]" if target else " [suspended by didflow]"


def _set_target(did: Any, change: Any, target: Target | None) -> bool:
    """Add the trunk or group to the change. Return False if the DID has it already."""
    has = [
        Target(kind, related.id)
        for kind, related in (("trunk", did.voice_in_trunk), ("group", did.voice_in_trunk_group))
        if related is not None
    ]
    if has == ([target] if target else []):
        return False
    if target is None:
        for relation in ("voice_in_trunk", "voice_in_trunk_group"):
            change._null_relationship(relation)  # noqa: SLF001 - the SDK has no public way to remove both
    elif target.kind == "trunk":
        change.voice_in_trunk = VoiceInTrunk.build(target.id)
    else:
        change.voice_in_trunk_group = VoiceInTrunkGroup.build(target.id)
    return True


def _capacity(did: Any, capacity: Channels | None) -> dict[str, Any]:
    """Return the limit, and the channels beyond the included ones. Unlimited: no limit, and the channels there are."""
    if capacity == "unlimited":
        return {"capacity_limit": None}
    needed = max(0, (capacity or 0) - (did.channels_included_count or 0))
    return {"capacity_limit": capacity, "dedicated_channels_count": needed}
