"""The adapter of DIDWW against replies of its API.

Nobody has recorded these replies at the carrier: no account was there. They were written by hand from the public
documentation of API version 2026-04-16 (https://doc.didww.com/api3/2026-04-16/), in `didww_replies/`. Fields, types and
texts of errors are those that the documentation describes. All ids, numbers, names and times are made up. The tests
show that the adapter sends the documented requests and understands the documented replies. They do not show how DIDWW
behaves.

The replies stand in for the network below the SDK and `requests`. Each request is compared with the expected one.
"""

import asyncio
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from didww.exceptions import DidwwApiError
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout

from didflow_adapters.didww.api import TIMEOUTS_S, failure_of
from didflow_adapters.didww.carrier import DidwwCarrier
from didflow_adapters.didww.process import DidwwSettings
from didflow_adapters.kit import Failed, Succeeded
from didflow_adapters.kit.call_limits import CallLimits
from didflow_adapters.kit.execution import CommandExecutor
from didflow_contracts.events.carrier import SetVoiceParameters

REPLIES = Path(__file__).parent / "didww_replies"
DID = "0b6f3a52-6a0f-4f0e-9a51-3c5c1f7d0001"
TRUNK, FAILOVER = (f"7d1c2b90-5a44-4c1b-8f6e-2f6a9c0e000{n}" for n in range(2))
GROUP = "c55e7f1a-91d2-4b53-a3c0-64f2de1a0009"
VOICE = "01980f2c-7c00-7000-8000-000000000028"

OWN = {
    "kind": "sip",
    "address": "sip:pbx.example.com:5060",
    "settings": {"transport": "tls", "codecs": [], "priority": 1, "weight": 1, "ring_timeout_s": None},
}
FAILOVER_ENDPOINT = {
    "kind": "sip",
    "address": "sip:backup.example.com:5060",
    "settings": {"transport": "tls"},
}
ON_TRUNK = {"kind": "trunk", "id": VOICE, "name": "Office PBX", "endpoints": [OWN]}
WITH_FAILOVER = ON_TRUNK | {"endpoints": [OWN, FAILOVER_ENDPOINT]}

LOOK_FOR_DID = (
    "GET",
    "dids",
    {"filter[number]": "35319609036", "include": "voice_in_trunk,voice_in_trunk_group"},
)
LOOK_FOR_TRUNK = ("GET", "voice_in_trunks", {"filter[external_reference_id]": f"{VOICE}/0"})
LOOK_FOR_FAILOVER = ("GET", "voice_in_trunks", {"filter[external_reference_id]": f"{VOICE}/1"})
LOOK_FOR_GROUP = (
    "GET",
    "voice_in_trunk_groups",
    {"filter[external_reference_id]": VOICE, "include": "voice_in_trunks"},
)


def sip_trunk(position: int, host: str, priority: int) -> dict[str, Any]:
    """Return the attributes of a trunk as they must be sent."""
    return {
        "name": f"Office PBX [{VOICE}/{position}]",
        "external_reference_id": f"{VOICE}/{position}",
        "priority": priority,
        "weight": 1,
        "ringing_timeout": 30,
        "cli_format": "e164",
        "configuration": {
            "type": "sip_configurations",
            "attributes": {
                "username": "{DID}",
                "host": host,
                "port": 5060,
                "transport_protocol_id": 3,
                "codec_ids": [9, 10, 8, 7, 6],
                "enabled_sip_registration": False,
                "use_did_in_ruri": False,
            },
        },
    }


def change_of_did(relation: tuple[str, str] | bool | None = False, **attributes: Any) -> tuple[str, str, Any]:
    """Return the request that changes the DID. `relation` is its new trunk or group, or None for neither."""
    data: dict[str, Any] = {"type": "dids", "id": DID, "attributes": attributes}
    if relation is not False:
        relations: dict[str, Any] = {
            name: {"data": None} for name in ("voice_in_trunk", "voice_in_trunk_group")
        }
        if isinstance(relation, tuple):
            relations[relation[0]] = {"data": {"type": f"{relation[0]}s", "id": relation[1]}}
        data["relationships"] = relations
    return "PATCH", f"dids/{DID}", {"data": data}


class Didww:
    """The expected requests, each with its reply. `done` is checked at the end of each test."""

    def __init__(self) -> None:
        self._expected: list[tuple[tuple[str, str, Any], int, str | Exception, dict[str, str]]] = []
        self.faults: list[str] = []

    def expect(
        self, request: tuple[str, str, Any], reply: str | Exception, status: int = 200, **headers: str
    ) -> None:
        """Answer the next request with a file of `didww_replies/`, or raise."""
        self._expected.append((request, status, reply, headers))

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """Compare a request with the expected one, and return its reply."""
        if not self._expected:
            self.faults.append(f"unexpected: {request.method} {request.url} {request.body!r}")
            raise NoConnection
        expected, status, reply, headers = self._expected.pop(0)
        url = urlsplit(request.url or "")
        query = dict(parse_qsl(url.query))
        sent = json.loads(request.body) | ({"query": query} if query else {}) if request.body else query
        found = (request.method, url.path.removeprefix("/v3/"), sent)
        if found != expected:
            self.faults.append(f"expected {expected}, got {found}")
        if request.headers["Api-Key"] != "key" or request.headers["X-DIDWW-API-Version"] != "2026-04-16":
            self.faults.append("the headers are wrong")
        if options["timeout"] != TIMEOUTS_S:
            self.faults.append("the request has no timeout")
        if options["proxies"]:
            self.faults.append("the request goes through a proxy")
        if isinstance(reply, Exception):
            raise reply
        response = Response()
        response.status_code, response.request, response.url = status, request, str(request.url)
        response._content = (REPLIES / reply).read_bytes()
        response.headers.update({"Content-Type": "application/vnd.api+json"} | headers)
        return response

    def done(self) -> None:
        """Fail if a request was not the expected one, or was not sent."""
        assert self.faults == []
        assert self._expected == []


@pytest.fixture
def didww(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The API of DIDWW, as its documentation describes it."""
    api = Didww()
    monkeypatch.setattr(HTTPAdapter, "send", api.send)
    yield api
    api.done()


@pytest.fixture
def execute(new_command: Callable[..., Any]) -> Any:
    """Executes a command as the kit does. Each call is a new process: nothing is remembered."""

    async def execute_command(action: str, number: str = "+35319609036", **parameters: Any) -> Any:
        command = new_command(action, number, parameters=parameters).data
        carrier = DidwwCarrier("key", "https://api.didww.com/v3", concurrency=1)
        return await getattr(carrier, action)(command, command.parameters)

    return execute_command


async def test_an_activation_creates_the_trunk_and_sets_it_with_the_capacity(didww, execute):
    """Two of four channels are included; the other two come from the capacity pool."""
    didww.expect(LOOK_FOR_DID, "did.json")
    didww.expect(LOOK_FOR_TRUNK, "nothing.json")
    trunk = {"data": {"type": "voice_in_trunks", "attributes": sip_trunk(0, "pbx.example.com", 1)}}
    didww.expect(("POST", "voice_in_trunks", trunk), "trunk_created.json", 201)
    change = change_of_did(("voice_in_trunk", TRUNK), capacity_limit=4, dedicated_channels_count=2)
    didww.expect(change, "did_changed.json")

    outcome = await execute("activate", features=["voice_in"], voice=ON_TRUNK, capacity=4)

    assert outcome == Succeeded(carrier_reference=DID)


async def test_an_activation_that_is_repeated_after_a_restart_writes_nothing(didww, execute):
    """The state at the carrier is read, and it is what is wanted."""
    didww.expect(LOOK_FOR_DID, "did_on_trunk.json")
    didww.expect(LOOK_FOR_TRUNK, "trunk.json")

    outcome = await execute("activate", features=["voice_in"], voice=ON_TRUNK, capacity=4)

    assert outcome == Succeeded(carrier_reference=DID)


async def test_each_request_of_a_command_counts_in_the_rate(didww, new_command, monkeypatch):
    """A pause of the carrier begins before the second request. The command then fails as rate limited."""
    limits = CallLimits(1, 1_000)
    limits.set_part(1, 1)
    didww.expect(LOOK_FOR_DID, "did_on_trunk.json")
    send, calls = didww.send, []

    def paused_after(request: PreparedRequest, **options: Any) -> Response:
        calls.append(request.url)
        loop.call_soon_threadsafe(limits.pause, 120)
        return send(request, **options)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(HTTPAdapter, "send", staticmethod(paused_after))
    carrier = DidwwCarrier("key", "https://api.didww.com/v3", concurrency=1)
    command = new_command("set_voice", parameters=SetVoiceParameters.model_validate({"voice": ON_TRUNK}))
    outcome = await CommandExecutor(carrier, 5, limits=limits).execute(command.data)
    assert (len(calls), outcome.code, outcome.retry_after_s) == (1, "rate_limited", 120)


async def test_a_call_that_was_given_up_writes_nothing_later(new_command, monkeypatch):
    """The read takes longer than a call may. A write after that could undo the next command of the number."""
    api, go_on = Didww(), threading.Event()
    api.expect(LOOK_FOR_DID, "did_on_trunk.json")

    def slow(request: PreparedRequest, **options: Any) -> Response:
        assert go_on.wait(10)
        return api.send(request, **options)

    monkeypatch.setattr(HTTPAdapter, "send", staticmethod(slow))
    carrier = DidwwCarrier("key", "https://api.didww.com/v3", concurrency=1)
    command = new_command("set_capacity", parameters={"capacity": 2})
    outcome = await CommandExecutor(carrier, 0.05).execute(command.data)
    go_on.set()
    await asyncio.to_thread(carrier._threads.shutdown)
    assert (outcome.code, outcome.retryable) == ("carrier_timeout", True)
    api.done()


async def test_a_redirect_is_not_followed_so_no_other_host_gets_the_key(didww, execute):
    """The library would send the header of the key to any host."""
    didww.expect(LOOK_FOR_DID, "nothing.json", 302, Location="https://elsewhere.example/v3/dids")

    outcome = await execute("set_capacity", capacity=4)

    assert (outcome.code, outcome.retryable) == ("carrier_unavailable", True)


async def test_a_proxy_of_the_environment_is_not_used(didww, execute, monkeypatch):
    """As in the other adapters, only the settings say where requests go."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    didww.expect(LOOK_FOR_DID, "did_on_trunk.json")

    assert await execute("set_capacity", capacity=4) == Succeeded(carrier_reference=DID)


async def test_an_activation_restores_a_number_that_was_canceled(didww, execute):
    """`terminated` is set to false."""
    didww.expect(LOOK_FOR_DID, "did_canceled.json")
    didww.expect(change_of_did(terminated=False), "did_changed.json")

    assert await execute("activate", features=["voice_in"]) == Succeeded(carrier_reference=DID)


async def test_a_changed_trunk_is_changed_once_and_not_created_again(didww, execute):
    """The DID is on the trunk already, so only the trunk is written."""
    didww.expect(LOOK_FOR_DID, "did_on_trunk.json")
    didww.expect(LOOK_FOR_TRUNK, "trunk_to_another_host.json")
    trunk = {"type": "voice_in_trunks", "id": TRUNK, "attributes": sip_trunk(0, "pbx.example.com", 1)}
    didww.expect(("PATCH", f"voice_in_trunks/{TRUNK}", {"data": trunk}), "trunk_created.json")

    assert await execute("set_voice", voice=ON_TRUNK) == Succeeded(carrier_reference=DID)


async def test_several_endpoints_become_a_trunk_group(didww, execute):
    """The failover has no priority of its own, and comes after the first."""
    didww.expect(LOOK_FOR_DID, "did_on_trunk.json")
    didww.expect(LOOK_FOR_TRUNK, "trunk.json")
    didww.expect(LOOK_FOR_FAILOVER, "nothing.json")
    trunk = {"type": "voice_in_trunks", "attributes": sip_trunk(1, "backup.example.com", 2)}
    didww.expect(("POST", "voice_in_trunks", {"data": trunk}), "failover_created.json", 201)
    didww.expect(LOOK_FOR_GROUP, "nothing.json")
    members = [{"type": "voice_in_trunks", "id": each} for each in (TRUNK, FAILOVER)]
    group = {
        "type": "voice_in_trunk_groups",
        "attributes": {"name": f"Office PBX [{VOICE}]", "external_reference_id": VOICE},
        "relationships": {"voice_in_trunks": {"data": members}},
    }
    sent = {"data": group, "query": {"include": "voice_in_trunks"}}
    didww.expect(("POST", "voice_in_trunk_groups", sent), "group_created.json", 201)
    didww.expect(change_of_did(("voice_in_trunk_group", GROUP)), "did_changed.json")

    assert await execute("set_voice", voice=WITH_FAILOVER) == Succeeded(carrier_reference=DID)


async def test_a_trunk_that_another_process_creates_at_the_same_time_is_used(didww, execute):
    """Its name is taken, and then it is found."""
    didww.expect(LOOK_FOR_DID, "did_on_trunk.json")
    didww.expect(LOOK_FOR_TRUNK, "nothing.json")
    trunk = {"data": {"type": "voice_in_trunks", "attributes": sip_trunk(0, "pbx.example.com", 1)}}
    didww.expect(("POST", "voice_in_trunks", trunk), "error_422.json", 422)
    didww.expect(LOOK_FOR_TRUNK, "trunk.json")

    assert await execute("set_voice", voice=ON_TRUNK) == Succeeded(carrier_reference=DID)


async def test_a_suspended_number_loses_its_trunk_and_a_note_keeps_it(didww, execute):
    """The description of a person stays in front of the note."""
    didww.expect(LOOK_FOR_DID, "did_on_trunk.json")
    note = f"Main line [suspended by didflow: trunk {TRUNK}]"
    didww.expect(change_of_did(None, description=note), "did_changed.json")

    assert await execute("suspend", reason="registration") == Succeeded(carrier_reference=DID)


async def test_a_suspension_that_is_repeated_writes_nothing(didww, execute):
    """The note says that the number is suspended."""
    didww.expect(LOOK_FOR_DID, "did_suspended.json")

    assert await execute("suspend") == Succeeded(carrier_reference=DID)


async def test_a_resumed_number_has_its_trunk_and_its_description_again(didww, execute):
    """Both are in the note."""
    didww.expect(LOOK_FOR_DID, "did_suspended.json")
    didww.expect(change_of_did(("voice_in_trunk", TRUNK), description="Main line"), "did_changed.json")

    assert await execute("resume") == Succeeded(carrier_reference=DID)


async def test_a_voice_target_set_on_a_suspended_number_waits_in_the_note(didww, execute):
    """The number gets no calls before it is resumed."""
    didww.expect(LOOK_FOR_DID, "did_suspended_without_a_trunk.json")
    didww.expect(LOOK_FOR_TRUNK, "trunk.json")
    note = f"[suspended by didflow: trunk {TRUNK}]"
    didww.expect(change_of_did(description=note), "did_changed.json")

    assert await execute("set_voice", voice=ON_TRUNK) == Succeeded(carrier_reference=DID)


@pytest.mark.parametrize(
    ("capacity", "sent"),
    [
        (1, {"capacity_limit": 1, "dedicated_channels_count": 0}),
        (0, {"capacity_limit": 0, "dedicated_channels_count": 0}),
        (30, {"capacity_limit": 30, "dedicated_channels_count": 28}),
        ("unlimited", {"capacity_limit": None}),
        (None, {"capacity_limit": None, "dedicated_channels_count": 0}),
    ],
)
async def test_a_capacity_is_a_limit_and_the_channels_that_it_needs(didww, execute, capacity, sent):
    """The limit was 4 with two channels of the pool, and two channels are included."""
    didww.expect(LOOK_FOR_DID, "did_on_trunk.json")
    didww.expect(change_of_did(**sent), "did_changed.json")

    assert await execute("set_capacity", capacity=capacity) == Succeeded(carrier_reference=DID)


@pytest.mark.parametrize(("keep", "canceled"), [(True, {}), (False, {"terminated": True})])
async def test_a_released_number_has_no_trunk_and_is_canceled_unless_it_is_kept(
    didww, execute, keep, canceled
):
    """Its channels go back to the pool."""
    didww.expect(LOOK_FOR_DID, "did_on_group.json")
    change = change_of_did(None, capacity_limit=None, dedicated_channels_count=0, **canceled)
    didww.expect(change, "did_changed.json")

    assert await execute("release", keep=keep) == Succeeded(carrier_reference=DID)


async def test_a_number_that_is_gone_is_released(didww, execute):
    """A release that is repeated after the end of the billing cycle succeeds."""
    didww.expect(LOOK_FOR_DID, "nothing.json")

    assert await execute("release") == Succeeded()


@pytest.mark.parametrize("reply", ["nothing.json", "did_of_a_longer_number.json"])
async def test_a_number_of_nobody_fails_for_good(didww, execute, reply):
    """A filter that matched another number is not trusted."""
    didww.expect(LOOK_FOR_DID, reply)

    outcome = await execute("set_capacity", capacity=2)

    assert (outcome.code, outcome.retryable) == ("number_not_ours", False)


async def test_sms_is_refused_before_anything_is_written(didww, execute):
    """The SDK has no SMS trunks. That none is wanted succeeds."""
    sms = {"id": VOICE, "name": "Inbox", "endpoints": []}

    assert (await execute("set_sms", sms=sms)).code == "unsupported"
    assert (await execute("activate", features=["sms_in"], sms=sms)).code == "unsupported"
    assert await execute("set_sms", sms=None) == Succeeded()


@pytest.mark.parametrize(
    ("reply", "code", "retryable"),
    [
        ("did_awaiting_registration.json", "registration_pending", True),
        ("did_blocked.json", "number_blocked", False),
    ],
)
async def test_a_number_that_didww_keeps_out_of_service_is_not_activated(
    didww, execute, reply, code, retryable
):
    """A registration can still be completed at the carrier."""
    didww.expect(LOOK_FOR_DID, reply)

    outcome = await execute("activate", features=["voice_in"])

    assert (outcome.code, outcome.retryable) == (code, retryable)


@pytest.mark.parametrize(
    "endpoint",
    [
        {"kind": "webrtc", "address": "wss://pbx.example.com"},
        {"kind": "sip", "address": "pbx.example.com"},
        OWN | {"settings": {"codecs": ["opus", "g722"]}},
    ],
)
async def test_an_endpoint_that_didww_cannot_reach_fails_for_good(didww, execute, endpoint):
    """Nothing is written."""
    didww.expect(LOOK_FOR_DID, "did.json")

    outcome = await execute("set_voice", voice=ON_TRUNK | {"endpoints": [endpoint]})

    assert (outcome.code, outcome.retryable) == ("bad_request", False)


@pytest.mark.parametrize(
    ("status", "reply", "expected"),
    [
        (400, "error_400.json", ("bad_request", None, False)),
        (400, "error_400_funds.json", ("insufficient_funds", 3600, True)),
        (401, "error_401.json", ("unauthorized", 60, True)),
        (403, "error_403.json", ("unauthorized", 60, True)),
        (404, "error_404.json", ("conflict", None, True)),
        (409, "error_409.json", ("conflict", None, True)),
        (422, "error_422.json", ("rejected", None, False)),
        (429, "error_429.json", ("rate_limited", 1, True)),
        (500, "nothing.json", ("carrier_unavailable", None, True)),
        (503, "nothing.json", ("carrier_unavailable", None, True)),
    ],
)
async def test_an_error_of_the_api_is_retryable_or_final(didww, execute, status, reply, expected):
    """What an operator or time can mend is tried again."""
    didww.expect(LOOK_FOR_DID, "did_on_trunk.json")
    didww.expect(change_of_did(capacity_limit=2, dedicated_channels_count=0), reply, status)

    outcome = await execute("set_capacity", capacity=2)

    assert (outcome.code, outcome.retry_after_s, outcome.retryable) == expected
    assert outcome.message


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("999999999", 86_400),
        ("9" * 20, 1),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", 1),
        ("\N{SUPERSCRIPT TWO}", 1),
        ("soon", 1),
        ("", 1),
    ],
)
async def test_the_wait_that_the_carrier_asks_for_is_passed_on(didww, execute, asked, seconds):
    """`Retry-After` is a number of seconds or a date (RFC 9110), up to a day. Anything else is one second."""
    didww.expect(LOOK_FOR_DID, "error_429.json", 429, **{"Retry-After": asked})

    outcome = await execute("set_capacity", capacity=2)

    assert outcome == Failed(
        code="rate_limited",
        message="API key is limited to 20 requests per second.",
        retryable=True,
        retry_after_s=seconds,
    )


@pytest.mark.parametrize("error", [NoConnection(), ReadTimeout()])
async def test_a_carrier_that_cannot_be_reached_is_asked_again(didww, execute, error):
    """The next attempt reads the state first, so a request that arrived all the same is not repeated."""
    didww.expect(LOOK_FOR_DID, error)

    outcome = await execute("set_capacity", capacity=2)

    assert (outcome.code, outcome.retryable) == ("carrier_unavailable", True)


def test_an_error_without_a_document_is_an_outcome_too():
    """A proxy in between can answer with a status alone."""
    outcome = failure_of(DidwwApiError([{"title": "HTTP 502"}], status_code=502))

    assert (outcome.code, outcome.retryable) == ("carrier_unavailable", True)


def test_every_setting_of_the_account_is_on_its_page():
    """The page lists every setting, and no other."""
    page = (Path(__file__).parents[3] / "docs" / "adapters" / "didww.md").read_text()
    listed = re.findall(r"^\| `DIDFLOW_DIDWW_(\w+)`", page, re.MULTILINE)

    assert set(listed) == {name.upper() for name in DidwwSettings.model_fields}
