"""The HTTP servers of a process."""

import asyncio
import socket
import sys
import time

import pytest
import uvloop
from starlette.responses import PlainTextResponse

from didflow_chassis.servers import listen, serving

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
ROUNDS = 20
LIMIT_S = 0.02
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


async def first_and_rest(scope, receive, send) -> None:
    """Respond in several writes, as an API does: the head first, then the body."""
    await PlainTextResponse("ok" * 100)(scope, receive, send)


def test_accepted_connections_have_tcp_nodelay_and_notice_a_client_that_is_gone() -> None:
    """The option of the listening socket is inherited, whatever event loop accepts the connection."""
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()) as client:
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            if sys.platform == "linux":
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
        assert client


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_on_a_kept_alive_connection_does_not_take_44_ms(loop: str) -> None:
    """Several requests on one connection are each answered at once.

    A delayed acknowledgement takes 40 ms in every round, so the fastest of 20 rounds shows it, and a busy machine does
    not fail this test.
    """

    async def rounds() -> list[float]:
        seconds = []
        async with serving(first_and_rest, listen("127.0.0.1", 0), "test") as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(ROUNDS):
                started = time.perf_counter()
                writer.write(REQUEST)
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(200)
                seconds.append(time.perf_counter() - started)
                assert b"200 OK" in head
            writer.close()
            await writer.wait_closed()
        return seconds[1:]

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        assert min(runner.run(rounds())) < LIMIT_S


def test_a_port_in_use_is_an_os_error() -> None:
    """The process reports it in one line and exits; it does not retry."""
    with listen("127.0.0.1", 0) as listening, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", listening.getsockname()[1])
