"""Addresses of targets: what is refused, and that what is accepted reaches the carrier's command as it was written."""

import string
from typing import Any

import pytest
from harness.internal_addresses import INTERNAL, MALFORMED, PUBLIC
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from didflow_contracts.bounds import PRIORITY, RING_TIME
from didflow_contracts.events import CarrierCommandIssued
from didflow_provisioning.api.targets.addresses import host_of
from didflow_provisioning.api.targets.bodies import SmsTrunkBody, VoiceTrunkBody
from didflow_provisioning.api.targets.responses import SmsTrunkResponse, VoiceTrunkResponse
from didflow_provisioning.domain.targets.commands import CreateSmsTrunk, CreateVoiceTrunk

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOSTS = st.sampled_from(PUBLIC) | st.from_regex(
    r"\A[A-Za-z0-9]([A-Za-z0-9-]{0,9}[a-z0-9])?(\.[a-z][a-z0-9]{0,9}){1,3}\.?\Z"
)
TEXTS = st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=40)
PORTS = st.one_of(st.just(""), st.integers(1_024, 65_535).map(":{}".format), st.integers(0).map(":{}".format))


def bracketed(host: str) -> str:
    """Return a host as a URI has it."""
    return f"[{host}]" if ":" in host else host


def mostly(*good: str, bad: str) -> st.SearchStrategy[str]:
    """Return good texts, and seldom one that is refused."""
    return st.sampled_from((*(good * 4), bad))


SIP_URIS = st.tuples(
    mostly("sip:", "sip:", "sips:", bad="tel:"),
    mostly("", "pbx@", "+3531@", "a%20b@", bad="a:b@"),
    HOSTS.map(bracketed),
    PORTS,
    mostly("", ";lr", ";lr;user=phone", bad=";maddr=a.example"),
).map("".join)
SIP_TARGETS = st.fixed_dictionaries(
    {"uri": SIP_URIS | TEXTS},
    optional={
        "transport": st.sampled_from(("udp", "tcp", "tls", "tls", None)),
        "codecs": st.lists(st.sampled_from(("opus", "g722", "pcma", "pcmu", "g729")), unique=True),
    },
)
NUMBERS = mostly("+35319609000", "+14155552671", "+80012345678", bad="+35300000000")
DESTINATIONS = st.one_of(
    st.fixed_dictionaries({"sip": SIP_TARGETS}), st.fixed_dictionaries({"forward_to": NUMBERS})
)
WEIGHTS = st.integers(PRIORITY.least, PRIORITY.most)
VOICE = st.tuples(
    DESTINATIONS,
    st.fixed_dictionaries(
        {"name": st.just("x")},
        optional={
            "priority": WEIGHTS,
            "weight": WEIGHTS,
            "ring_timeout_s": st.integers(RING_TIME.least, RING_TIME.most) | st.none(),
            "failover": DESTINATIONS | st.none(),
        },
    ),
).map(lambda parts: parts[0] | parts[1])
URLS = st.tuples(
    mostly("https://", "http://", bad="ftp://"),
    HOSTS.map(bracketed),
    PORTS,
    mostly("", "/", "/in?x=%20&y=a@b", bad="/#top"),
).map("".join)
SYSTEM_IDS = st.text(string.ascii_letters + string.punctuation, min_size=1, max_size=15)
MAIL = st.tuples(mostly("sms+in", "o'neil.b", bad=".a") | TEXTS, st.just("@"), HOSTS).map("".join)
SMS = st.one_of(
    st.builds(lambda url: {"http": {"url": url, "secret": SECRET}}, URLS),
    st.builds(lambda address: {"email": {"address": address}}, MAIL),
    st.fixed_dictionaries(
        {"host": HOSTS, "system_id": SYSTEM_IDS, "password": st.just("b")},
        optional={"port": st.integers(-1, 70_000), "tls": st.booleans()},
    ).map(lambda smpp: {"smpp": smpp}),
)


def accepted(model: Any, body: dict[str, Any]) -> Any:
    """Return the parsed body, or None. Each error has a code of didflow or pydantic, and the field."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        for each in error.errors():
            assert each["type"]
            assert each["loc"] or each["ctx"]["field"]
        return None


def issued_with(stage: Any, action: str) -> Any:
    """Return the parameters of the last command of an action, as a consumer of the topic reads them."""
    command = next(each for each in reversed(stage.issued()) if each.action == action)
    return CarrierCommandIssued.model_validate_json(command.model_dump_json()).parameters


def refused_code(model: Any, body: dict[str, Any]) -> str:
    """Return the code of the only error of a body."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate(body)
    (error,) = raised.value.errors()
    return str(error["type"])


@pytest.mark.parametrize("host", [*INTERNAL, *MALFORMED])
def test_no_internal_host_and_no_odd_form_is_a_place_for_messages(host: str) -> None:
    """A callback URL and a mail address. The hosts of SIP and SMPP are checked with the networks of the settings."""
    url = {"name": "x", "http": {"url": f"https://{bracketed(host)}/in", "secret": SECRET}}
    codes = {"internal_address"} if host in INTERNAL else {"host_invalid", "url_invalid", "string_too_long"}
    assert refused_code(SmsTrunkBody, url) in codes
    mail = {"name": "x", "email": {"address": f"sms@{host}"}}
    assert refused_code(SmsTrunkBody, mail) in codes | {"email_invalid"}


@pytest.mark.parametrize("host", MALFORMED)
def test_a_form_of_a_host_that_only_some_programs_read_is_refused_for_sip_and_smpp(host: str) -> None:
    """They are refused by their form, whatever networks the settings allow."""
    smpp = {"name": "x", "smpp": {"host": host, "system_id": "a", "password": "b"}}
    assert refused_code(SmsTrunkBody, smpp) in {"host_invalid", "string_too_short", "string_too_long"}
    uri = {"name": "x", "sip": {"uri": f"sip:{bracketed(host)}"}}
    if host not in ("a.example;x", "user@a.example"):  # a parameter and a user: these are SIP URIs
        assert refused_code(VoiceTrunkBody, uri) in {"host_invalid", "format_invalid"}


@given(VOICE)
@settings(max_examples=60, deadline=None)
def test_a_voice_trunk_that_is_accepted_reaches_the_carrier_as_it_was_written(
    new_stage: Any, messages: Any, body: dict[str, Any]
) -> None:
    """The answer and the command have the addresses and the settings of the body, and nothing is corrected."""
    parsed = accepted(VoiceTrunkBody, body)
    if parsed is None:
        return
    stage = new_stage()
    create = CreateVoiceTrunk(
        entity_id=messages.trunk_id,
        subject="",
        caller=messages.caller(),
        account=messages.account,
        name=parsed.name,
        endpoints=parsed.endpoints(),
    )
    trunk = stage.run(create).answer
    stage.process(messages.purchased(), messages.set_voice(), messages.did_changed(), messages.registration())
    endpoints = issued_with(stage, "activate").voice.endpoints
    shown = VoiceTrunkResponse.of(trunk, messages.caller())
    assert shown.endpoints == endpoints
    destinations = [body, body["failover"]] if body.get("failover") else [body]
    assert len(endpoints) == len(destinations)
    for endpoint, written in zip(endpoints, destinations, strict=True):
        if "sip" in written:
            target = written["sip"]
            secure = target["uri"].startswith("sips:")
            assert (endpoint.kind, endpoint.address) == ("sip", target["uri"])
            assert host_of(endpoint.address) in endpoint.address
            assert endpoint.settings["codecs"] == target.get("codecs", [])
            assert endpoint.settings["transport"] == (target.get("transport") or ("tls" if secure else "udp"))
            assert not secure or endpoint.settings["transport"] == "tls"
        else:
            assert (endpoint.kind, endpoint.address) == ("pstn", written["forward_to"])
    own = endpoints[0].settings
    assert (own["priority"], own["weight"]) == (body.get("priority", 1), body.get("weight", 1))
    assert own["ring_timeout_s"] == body.get("ring_timeout_s")


@given(SMS)
@settings(max_examples=100, deadline=None)
def test_an_sms_trunk_that_is_accepted_reaches_the_carrier_as_it_was_written(
    new_stage: Any, messages: Any, body: dict[str, Any]
) -> None:
    """The answer and the command have the address of the body, and nothing is corrected."""
    parsed = accepted(SmsTrunkBody, body | {"name": "x"})
    if parsed is None:
        return
    stage = new_stage()
    create = CreateSmsTrunk(
        entity_id=messages.sms_trunk_id,
        subject="",
        caller=messages.caller(),
        account=messages.account,
        name="x",
        endpoint=parsed.endpoint(),
        secret=None,
    )
    trunk = stage.run(create).answer
    sms = {"features": ["sms_in"]}
    stage.process(messages.purchased(**sms), messages.set_sms(), messages.did_changed(**sms))
    stage.process(messages.registration())
    (endpoint,) = issued_with(stage, "activate").sms.endpoints
    assert SmsTrunkResponse.of(trunk, messages.caller()).endpoint == endpoint
    ((kind, written),) = body.items()
    names = {"http": "url", "smpp": "host", "email": "address"}
    assert (endpoint.kind, endpoint.address) == (kind, written[names[kind]])
    if kind == "smpp":
        expected = {"port": written.get("port", 2775), "tls": written.get("tls", True)}
        assert endpoint.settings == expected | {"system_id": written["system_id"]}
