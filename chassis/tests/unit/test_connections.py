"""Slow and silent clients, and too many connections: each wait for a client ends, and others are not harmed."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from didflow_chassis import connections
from didflow_chassis.connections import ConnectionLimits
from didflow_chassis.servers import listen, serving

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n"
SHORT = ConnectionLimits(header_s=0.4, body_s=0.4, body_bytes=1_000, answer_s=0.4)
PATIENCE_S = 20
"""How long a test waits for an end that comes within a second on an idle machine."""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the connections often, so that the tests are short."""
    monkeypatch.setattr(connections, "INTERVAL_S", 0.05)
    monkeypatch.setattr(connections, "LINGER_S", 0.4)


class App:
    """An application that reads the body, notes what happens, and answers with the address of the client."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.go = asyncio.Event()
        self.pause_s = 0.0
        self.size = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.seen.append(path)
        if path == "/early":
            await PlainTextResponse("no", 401)(scope, receive, send)
            return
        if path == "/wait":
            await self.go.wait()
        message = await receive()
        while message.get("more_body"):
            await asyncio.sleep(self.pause_s)
            message = await receive()
        self.seen.append(message["type"])
        await PlainTextResponse(scope["client"][0] + "x" * self.size)(scope, receive, send)


@asynccontextmanager
async def served(app: App, limits: ConnectionLimits = SHORT) -> AsyncIterator[int]:
    async with serving(app, listen("127.0.0.1", 0), "test", limits) as port:
        yield port


class Client:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, port: int, address: str = "127.0.0.1") -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """Return what the server sends until it closes the connection. A reset is an end, too."""
        found = b""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while data := await self.reader.read(65_536):
                    found += data
            except ConnectionError:
                pass
        return found

    async def answer(self) -> tuple[int, bytes]:
        """Return status and body of one answer."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            return int(head.split()[1]), await self.reader.readexactly(size)

    async def is_open(self) -> bool:
        """Return True if a request on the connection is answered."""
        await self.send(GET)
        return (await self.answer())[0] == 200


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def problem(raw: bytes) -> tuple[int, str]:
    """Return status and code of an answer that is a problem."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head
    assert b"Connection: close" in head
    return int(head.split()[1]), json.loads(body)["code"]


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: here\r\n"])
async def test_a_client_without_a_whole_header_is_closed(sent: bytes) -> None:
    """Nothing, a part of a line, or headers without their end: 408, and the application was never called."""
    app = App()
    async with served(app) as port:
        client = await Client.at(port)
        await client.send(sent)
        assert problem(await client.rest()) == (408, "request_timeout")
    assert app.seen == []


async def test_a_header_that_arrives_byte_by_byte_is_not_in_time() -> None:
    """Each byte does not begin a new wait. The same holds for the second request of a connection."""
    app = App()
    async with served(app) as port:
        client = await Client.at(port)
        assert await client.is_open()
        raw = asyncio.create_task(client.rest())
        while not raw.done():
            client.writer.write(b"X")
            await asyncio.sleep(0.02)
        assert problem(await raw) == (408, "request_timeout")


async def test_a_connection_may_be_idle_between_requests() -> None:
    """A connection that has no request under way is not slow."""
    async with served(App()) as port:
        client = await Client.at(port)
        assert await client.is_open()
        await asyncio.sleep(1)
        assert await client.is_open()


async def test_a_body_that_arrives_too_slowly_is_closed() -> None:
    """Fewer bytes than the least in a window: 408, and the application sees that the client is gone."""
    app = App()
    async with served(app) as port:
        client = await Client.at(port)
        await client.send(POST)
        raw = asyncio.create_task(client.rest())
        while not raw.done():
            client.writer.write(b"X")
            await asyncio.sleep(0.05)
        assert problem(await raw) == (408, "request_timeout")
        assert app.seen == ["/", "http.disconnect"]


async def test_a_body_that_arrives_fast_enough_may_take_long() -> None:
    """There is a least rate and no longest time."""
    async with served(App()) as port:
        client = await Client.at(port)
        await client.send(POST)
        for _ in range(25):
            await client.send(b"X" * 40_000)
            await asyncio.sleep(0.05)
        assert (await client.answer())[0] == 200


async def test_a_slow_application_is_not_the_fault_of_the_client() -> None:
    """While this side does not read, the client is not measured."""
    app = App()
    app.pause_s = 0.1
    async with served(app) as port:
        client = await Client.at(port)
        await client.send(POST + b"X" * 1_000_000)
        assert (await client.answer())[0] == 200


async def test_time_in_which_the_process_was_blocked_does_not_count() -> None:
    """What the clients sent meanwhile is still in the sockets."""
    async with served(App()) as port:
        clients = [await Client.at(port) for _ in range(5)]
        for client in clients:
            await client.send(GET[:-2])
        await asyncio.sleep(0.1)
        for client in clients:
            client.writer.write(b"\r\n")
        time.sleep(1.5)  # noqa: ASYNC251 - this is the blocked loop
        assert [(await client.answer())[0] for client in clients] == [200] * 5


async def test_a_client_that_does_not_read_its_answer_is_closed() -> None:
    """The task that writes the answer ends with the connection."""
    app = App()
    app.size = 50_000_000
    async with served(app) as port:
        client = await Client.at(port)
        client.writer.transport.pause_reading()
        await client.send(GET)
        await asyncio.sleep(2)
        client.writer.transport.resume_reading()
        assert len(await client.rest()) < app.size


async def test_the_rest_of_a_body_that_is_answered_already_is_read_for_a_short_time_only() -> None:
    """Else a client without a token could send a body for ever."""
    async with served(App(), ConnectionLimits()) as port:
        client = await Client.at(port)
        await client.send(POST.replace(b"/ ", b"/early ", 1))
        assert (await client.answer())[0] == 401
        raw = asyncio.create_task(client.rest())
        while not raw.done():
            client.writer.write(b"X" * 1_000)
            await asyncio.sleep(0.02)
        assert await raw == b""


@pytest.mark.parametrize("limits", [{"total": 5, "per_address": None}, {"total": 50, "per_address": 5}])
async def test_silent_connections_make_room_for_new_ones(limits: dict[str, Any]) -> None:
    """Whatever the number of silent connections, a new one is served. The oldest silent ones are closed."""
    async with served(App(), ConnectionLimits(**limits)) as port:
        silent = [await Client.at(port) for _ in range(40)]
        good = await Client.at(port)
        for _ in range(3):
            assert await good.is_open()
        assert {await client.rest() for client in silent[:30]} == {b""}


async def test_a_connection_with_a_request_under_way_never_makes_room() -> None:
    """If nobody can make room, the new connection is 503 with Retry-After, and those under way are answered."""
    app = App()
    async with served(app, ConnectionLimits(total=5, per_address=None)) as port:
        busy = [await Client.at(port) for _ in range(5)]
        for client in busy:
            await client.send(GET.replace(b"/ ", b"/wait ", 1))
        await eventually(lambda: app.seen.count("/wait") == 5)
        refused = await (await Client.at(port)).rest()
        assert problem(refused) == (503, "unavailable")
        assert b"Retry-After: 1" in refused
        app.go.set()
        assert [(await client.answer())[0] for client in busy] == [200] * 5
        assert await (await Client.at(port)).is_open()


async def test_one_address_does_not_take_the_connections_of_another() -> None:
    """An address at its limit closes its own connections. Those of another address stay open."""
    async with served(App(), ConnectionLimits(per_address=5)) as port:
        other = await Client.at(port, "127.0.0.2")
        assert await other.is_open()
        noisy = [await Client.at(port) for _ in range(40)]
        assert {await client.rest() for client in noisy[:30]} == {b""}
        assert await other.is_open()


async def test_closed_connections_do_not_count() -> None:
    """However a connection ends, its place is free again, and nothing is left in memory."""
    made: list[connections.Connections] = []

    class Kept(connections.Connections):
        def __init__(self, limits: ConnectionLimits) -> None:
            super().__init__(limits)
            made.append(self)

    patch = pytest.MonkeyPatch()
    patch.setattr("didflow_chassis.servers.Connections", Kept)
    async with served(App(), ConnectionLimits(total=3, per_address=2, header_s=0.3)) as port:
        for n in range(30):
            client = await Client.at(port, f"127.0.0.{1 + n % 9}")
            assert await client.is_open()
            client.writer.close()
        await Client.at(port)
        await eventually(lambda: len(made[0]) == 0)
        assert not made[0]._by_network
    patch.undo()


async def test_a_forwarded_address_is_not_believed() -> None:
    """The application gets the address of the connection, also from a proxy on this machine."""
    async with served(App()) as port:
        client = await Client.at(port)
        await client.send(GET[:-2] + b"X-Forwarded-For: 192.0.2.9\r\n\r\n")
        assert await client.answer() == (200, b"127.0.0.1")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a" * 70_000,
    ],
)
async def test_what_is_not_http_is_a_problem_and_no_warning(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody can send it, so it does not fill the log."""
    async with served(App()) as port:
        client = await Client.at(port)
        await client.send(sent)
        assert problem(await client.rest()) == (400, "request_malformed")
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


async def test_requests_on_many_connections_at_once_are_all_answered() -> None:
    """The limits cost a good client nothing."""
    async with served(App(), ConnectionLimits()) as port:
        clients = [await Client.at(port) for _ in range(90)]
        for _ in range(3):
            assert all(await asyncio.gather(*(client.is_open() for client in clients)))


def test_accepted_connections_of_the_servers_have_tcp_nodelay() -> None:
    """Every server of the services and of the stack listens by this function."""
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
