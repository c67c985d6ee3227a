"""Replies of a carrier that misbehaves, on a real socket. Nothing that it sends ends the adapter or passes a bound."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from harness.rest_carrier import changed

from didflow_adapters.http import HttpCarrier
from didflow_adapters.http.configuration import ReplyRule
from didflow_adapters.http.replies import CarrierReply, outcome_of, parse_json, usual_outcome
from didflow_adapters.kit import Failed, Later, Succeeded

DONE = b'{"status": "done", "operation": "op-1"}'


@asynccontextmanager
async def answering(
    *parts: bytes, pause_s: float = 0, heads: list[bytes] | None = None
) -> AsyncIterator[int]:
    """Answer each connection with these bytes and close it. `heads` gets the head of each request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if heads is not None:
                heads.append(head)
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause_s)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def reply(body: bytes, status: str = "200 OK", head: str = "") -> bytes:
    """Return the bytes of a reply."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


@pytest.fixture
async def outcome_with(secrets_in_environment: None, new_command: Callable[..., Any]) -> Callable[..., Any]:
    """Calls a carrier that answers with these bytes."""

    async def call(*parts: bytes, pause_s: float = 0, **changes: Any) -> Any:
        async with answering(*parts, pause_s=pause_s) as port:
            carrier = HttpCarrier(changed(base_url=f"http://127.0.0.1:{port}", timeout_s=0.5, **changes))
            command = new_command(carrier="rest").data
            outcome = await carrier.activate(command, command.parameters)
            await carrier.aclose()
            return outcome

    return call


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (reply(b"<html>"), "unexpected_reply"),
        (reply(b"[" * 60_000), "unexpected_reply"),
        (reply(b'{"status": NaN}'), "unexpected_reply"),
        (reply(b'{"status": ["done"]}'), "unexpected_reply"),
        (reply(b"\xff\xfe\x00"), "unexpected_reply"),
        (reply(b""), "unexpected_reply"),
        (reply(DONE, head="Content-Encoding: gzip\r\n")[:-30], "bad_reply"),
        (reply(DONE, "302 Found", "Location: http://169.254.169.254/\r\n"), "unexpected_reply"),
        (reply(b" " * 70_000), "reply_too_large"),
        (b"SSH-2.0-x\r\n", "bad_reply"),
        (b"", "bad_reply"),
        (reply(b"", "500 Oops"), "http_500"),
        (reply(b"", "401 No"), "credentials_refused"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n", "bad_reply"),
    ],
)
async def test_a_senseless_reply_is_a_retryable_failure(outcome_with: Any, sent: bytes, code: str) -> None:
    """It is never taken for a success and never for a final failure."""
    outcome = await outcome_with(sent)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == (code, True)


async def test_a_reply_that_drips_ends_at_the_limit(outcome_with: Any) -> None:
    """Each part comes in time, the whole does not."""
    parts = (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", *[b" "] * 49)
    outcome = await outcome_with(*parts, pause_s=0.1)
    assert (outcome.code, outcome.retryable) == ("carrier_timeout", True)


async def test_cookies_of_a_carrier_are_not_sent_back(secrets_in_environment: None, new_command: Any) -> None:
    """A command is not tied to those before it, and a carrier cannot fill the memory with names of cookies."""
    heads: list[bytes] = []
    sent = reply(DONE, head="Set-Cookie: session=1; Path=/\r\nConnection: close\r\n")
    async with answering(sent, heads=heads) as port:
        carrier = HttpCarrier(changed(base_url=f"http://127.0.0.1:{port}"))
        for _ in range(2):
            command = new_command(carrier="rest").data
            assert isinstance(await carrier.activate(command, command.parameters), Succeeded)
        await carrier.aclose()
    assert len(heads) == 2
    assert b"cookie:" not in b"".join(heads).lower()


async def test_a_carrier_that_cannot_be_reached_is_a_retryable_failure(
    secrets_in_environment: None, new_command: Any
) -> None:
    """The port was free a moment ago."""
    async with answering(b"") as port:
        pass
    carrier = HttpCarrier(changed(base_url=f"http://127.0.0.1:{port}"))
    command = new_command(carrier="rest").data
    outcome = await carrier.activate(command, command.parameters)
    await carrier.aclose()
    assert (outcome.code, outcome.retryable) == ("carrier_unreachable", True)


async def test_texts_of_the_carrier_are_cut_and_cleaned(outcome_with: Any) -> None:
    """A NUL would be refused by the database, an escape would control a terminal, a lone surrogate is no text."""
    body = b'{"error": {"code": "rejected", "message": "a\\u0000b\\u001b[2J\\ud800' + b"m" * 5_000 + b'"}}'
    outcome = await outcome_with(reply(body, "422 No"))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("rejected", False)
    assert outcome.message is not None
    assert outcome.message.startswith("a b [2J m")
    assert len(outcome.message) <= 500


@pytest.mark.parametrize("reference", [b'{"a": 1}', b"null", b"true", b"1.5", b'""', b"[]"])
async def test_a_reference_of_another_type_is_left_out(outcome_with: Any, reference: bytes) -> None:
    """The success counts all the same."""
    body = b'{"status": "done", "operation": ' + reference + b"}"
    assert await outcome_with(reply(body)) == Succeeded(carrier_reference=None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("999999999", 86_400),
        ("-1", None),
        ("soon", None),
        ("9" * 5_000, None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),
        ("Fri, 01 Jan 2199 00:00:00 GMT", 86_400),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date_within_a_day(header: str | None, seconds: int | None) -> None:
    """Anything else is ignored."""
    failed = usual_outcome(CarrierReply(status=429, json=None, retry_after=header))
    assert (failed.code, failed.retry_after_s) == ("rate_limited", seconds)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, ("http_400", False)),
        (404, ("http_404", False)),
        (403, ("credentials_refused", True)),
        (409, ("conflict", True)),
        (502, ("http_502", True)),
        (204, ("unexpected_reply", True)),
    ],
)
def test_a_status_without_a_rule_has_its_usual_outcome(status: int, expected: tuple[str, bool]) -> None:
    """What the operator can repair is tried again."""
    failed = usual_outcome(CarrierReply(status=status, json=None))
    assert (failed.code, failed.retryable) == expected


def rule(**fields: Any) -> ReplyRule:
    """Return a rule."""
    return ReplyRule.model_validate(fields)


def test_the_first_rule_that_matches_decides() -> None:
    """Status and values must both match. `true` is not 1."""
    rules = (
        rule(status=[200, 201], where={"/ok": 1}, outcome="succeeded"),
        rule(status="2xx", where={"/ok": [True, "yes"]}, outcome="later"),
        rule(status=200, outcome="final", code="odd"),
    )
    bodies: list[Any] = [{"ok": 1}, {"ok": True}, {"ok": "yes"}, {}, None, [1]]
    outcomes = [outcome_of(CarrierReply(status=200, json=body), rules) for body in bodies]
    assert outcomes == [Succeeded(), Later(), Later(), *[Failed(code="odd")] * 3]
    assert outcome_of(CarrierReply(status=404, json=None), rules) is None


@pytest.mark.parametrize("code", ["Rejected-1", "a b", "", "x" * 65, 5, None, "é"])
def test_a_code_of_the_carrier_is_used_if_it_is_one(code: Any) -> None:
    """Codes are short words. Anything else gives way to the code of the rule."""
    found = outcome_of(
        CarrierReply(status=422, json={"code": code}),
        (rule(status="422", outcome="final", code="refused", code_at="/code"),),
    )
    assert isinstance(found, Failed)
    assert found.code == ("rejected-1" if code == "Rejected-1" else "refused")


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 10_000, b'{"a": Infinity}', b"", b"\xff"])
def test_what_is_no_json_is_none(body: bytes) -> None:
    """No exception leaves the parser."""
    assert parse_json(body) is None
