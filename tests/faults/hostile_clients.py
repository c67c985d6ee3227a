"""A process of hostile HTTP clients: 50 slow connections, and bad tokens at a fixed rate.

`python -m faults.hostile_clients slow PORT SECONDS` prints how many connections the server closed, and
`python -m faults.hostile_clients tokens PORT SECONDS` the number of answers by status, as JSON. The token of a caller
for slow bodies is in DIDFLOW_TOKEN.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable

PER_SECOND = 300
SLOW = 50
CONNECTIONS = 6
_GET = b"GET /v1/me HTTP/1.1\r\nHost: api\r\n"
_POST = b"POST /v1/dids/search HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"


async def drip(*parts: bytes) -> AsyncIterator[bytes]:
    """Yield the parts, and then one byte after another."""
    for part in parts:
        yield part
    while True:
        await asyncio.sleep(0.5)
        yield b"a"


async def silence() -> AsyncIterator[bytes]:
    """Yield nothing that anybody would wait for."""
    yield b""
    await asyncio.Event().wait()


def kinds(token: str) -> list[Callable[[], AsyncIterator[bytes]]]:
    """Return the kinds of slow clients: silent, slow header, slow body of a caller, slow body without a token."""
    known = _POST + f"Authorization: Bearer {token}\r\n\r\n".encode()
    return [silence, lambda: drip(_GET + b"X: "), lambda: drip(known), lambda: drip(_POST + b"\r\n")]


async def slow(port: int, seconds: float, token: str) -> dict[str, int]:
    """Keep slow connections open. Return how many of them the server closed."""
    chosen = kinds(token)
    tasks = [asyncio.create_task(one_slow(port, chosen[n % len(chosen)]())) for n in range(SLOW)]
    done, pending = await asyncio.wait(tasks, timeout=seconds)
    for task in pending:
        task.cancel()
    return {"closed": len([task for task in done if task.exception() is None]), "opened": SLOW}


async def one_slow(port: int, sent: AsyncIterator[bytes]) -> None:
    """Send slowly until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        async for data in sent:
            writer.write(data)
            await writer.drain()

    sending = asyncio.create_task(send())
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        pass
    finally:
        sending.cancel()
        writer.close()


async def tokens(port: int, seconds: float) -> Counter[str]:
    """Send requests with bad tokens on some connections at the rate. Return the number of answers by status."""
    counted: Counter[str] = Counter()
    end = time.monotonic() + seconds
    await asyncio.gather(*(bad_tokens(port, end, counted) for _ in range(CONNECTIONS)))
    return counted


async def bad_tokens(port: int, end: float, counted: Counter[str]) -> None:
    """Send bad tokens on one connection until the end, each of them another one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    due = time.monotonic()
    while (now := time.monotonic()) < end:
        due += CONNECTIONS / PER_SECOND
        await asyncio.sleep(max(0.0, due - now))
        bad = f"eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.eyJuIjo{int(now * 1e6)}fQ.AAAA"
        writer.write(_GET + f"Authorization: Bearer {bad}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        counted[head.split()[1].decode()] += 1
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
    writer.close()


async def main(kind: str, port: int, seconds: float) -> None:
    """Attack, then print what came of it."""
    found = (
        await tokens(port, seconds)
        if kind == "tokens"
        else await slow(port, seconds, os.environ["DIDFLOW_TOKEN"])
    )
    print(json.dumps(found))  # noqa: T201 - this is its output


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
