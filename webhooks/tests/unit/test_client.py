"""The guarded client, on real sockets of this machine."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import pytest

from didflow_webhooks import GuardedClient, RequestFailed, Rules
from didflow_webhooks.addresses import Address, networks

OWN = Rules(allowed=networks("127.0.0.1/32"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nX-Tag: a\r\n\r\nok"


class Receiver:
    """Accepts connections on 127.0.0.1, keeps what it received, and answers with fixed bytes."""

    def __init__(self) -> None:
        self.connections = 0
        self.received: list[bytes] = []
        self.answer: Callable[[asyncio.StreamWriter], Awaitable[None]] = self._ok
        self.port = 0

    async def _ok(self, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        self.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.received.append(head + await reader.readexactly(length))
            await self.answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver of this test."""
    found = Receiver()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


def answering(content: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """Return an answer of these bytes."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(content)

    return answer


def resolving(*answers: tuple[str, ...]) -> Callable[[str, int], Awaitable[list[Address]]]:
    """Return a resolver that gives these addresses, one tuple for each look-up; the last one again and again."""
    left = list(answers)

    async def resolve(host: str, port: int) -> list[Address]:
        texts = left.pop(0) if len(left) > 1 else left[0]
        return [ip_address(text) for text in texts]

    return resolve


async def failure_of(client: GuardedClient, url: str) -> RequestFailed:
    """Return why a request failed."""
    with pytest.raises(RequestFailed) as raised:
        await client.post(url, b"{}", {})
    await client.aclose()
    return raised.value


async def test_a_request_arrives_as_it_was_given(receiver: Receiver) -> None:
    """Body, headers, path and query are kept. The Host header is the name, not the address."""
    client = GuardedClient(OWN, resolve=resolving(("127.0.0.1",)))
    url = f"http://hooks.example:{receiver.port}/a%20b?c=d"
    reply = await client.post(url, b'{"a":1}', {"Content-Type": "application/json"})
    await client.aclose()
    assert (reply.status, reply.body, reply.headers["x-tag"], reply.is_success) == (200, b"ok", "a", True)
    (request,) = receiver.received
    assert request.startswith(b"POST /a%20b?c=d HTTP/1.1\r\n")
    assert f"Host: hooks.example:{receiver.port}\r\n".encode() in request
    assert request.endswith(b'\r\n\r\n{"a":1}')


async def test_one_address_inside_among_public_ones_is_enough_to_refuse(receiver: Receiver) -> None:
    """Else the system could choose the wrong one."""
    client = GuardedClient(resolve=resolving(("8.8.8.8", "127.0.0.1")))
    url = f"http://hooks.example:{receiver.port}/"
    assert (await failure_of(client, url)).code == "address_forbidden"
    assert receiver.connections == 0


async def test_a_name_that_changes_its_address_gains_nothing(receiver: Receiver) -> None:
    """Each connection resolves once and goes to the address that was checked. The next one is checked again."""
    asked: list[str] = []
    inner = resolving(("127.0.0.1",), ("169.254.169.254",))

    async def rebinding(host: str, port: int) -> Any:
        asked.append(host)
        return await inner(host, port)

    client = GuardedClient(OWN, resolve=rebinding)
    url = f"http://hooks.example:{receiver.port}/"
    assert (await client.post(url, b"1", {})).status == 200
    assert asked == ["hooks.example"]
    assert (await failure_of(client, url)).code == "address_forbidden"
    assert (receiver.connections, len(asked)) == (1, 2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_reply_and_is_not_followed(receiver: Receiver, status: int) -> None:
    """The receiver gets one request, and the place of the redirect none."""
    location = f"http://127.0.0.1:{receiver.port}/inside"
    head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    receiver.answer = answering(head.encode())
    client = GuardedClient(OWN)
    reply = await client.post(f"http://127.0.0.1:{receiver.port}/", b"", {})
    await client.aclose()
    assert (reply.status, reply.is_success) == (status, False)
    assert len(receiver.received) == 1


async def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would connect to the address without a check."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{receiver.port}")
    client = GuardedClient(resolve=resolving(("10.0.0.1",)))
    assert (await failure_of(client, "http://hooks.example/")).code == "address_forbidden"
    assert receiver.connections == 0


async def test_a_reply_that_is_too_large_ends_the_exchange(receiver: Receiver) -> None:
    """No more than the limit is kept, whatever length the reply claims."""
    receiver.answer = answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000)
    client = GuardedClient(OWN, max_reply_bytes=1_000)
    failed = await failure_of(client, f"http://127.0.0.1:{receiver.port}/")
    assert failed.code == "reply_too_large"


async def test_a_reply_that_drips_ends_at_the_limit_of_the_whole_exchange(receiver: Receiver) -> None:
    """Each byte comes in time, but the reply does not."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    receiver.answer = drip
    began = time.monotonic()
    client = GuardedClient(OWN, timeout_s=0.3)
    failed = await failure_of(client, f"http://127.0.0.1:{receiver.port}/")
    assert failed.code == "timed_out"
    assert time.monotonic() - began < 2


async def test_a_reply_that_is_not_http_fails_with_its_code(receiver: Receiver) -> None:
    """Nothing of the reply is in the message."""
    receiver.answer = answering(b"SSH-2.0-secret\r\n\r\n")
    failed = await failure_of(GuardedClient(OWN), f"http://127.0.0.1:{receiver.port}/")
    assert failed.code == "bad_reply"
    assert "secret" not in str(failed)


async def test_a_host_that_does_not_answer_fails_with_its_code() -> None:
    """The port was free a moment ago."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert (await failure_of(GuardedClient(OWN), f"http://127.0.0.1:{port}/")).code == "unreachable"


async def test_a_resolver_that_hangs_ends_at_the_limit() -> None:
    """Others are not delayed: the look-ups have threads of their own."""

    async def hang(host: str, port: int) -> list[Address]:
        await asyncio.Event().wait()
        return []

    client = GuardedClient(resolve=hang, timeout_s=0.1)
    assert (await failure_of(client, "http://hooks.example/")).code == "timed_out"
