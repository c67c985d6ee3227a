"""Recognizes the content of a document by opening it, never by its name.

Uploaded files are parsed in a process of their own, with limited memory and time, that cannot write files. A content
is unreadable if that process cannot open it, crashes or takes too long. As a program, this module reads from stdin.
"""

import asyncio
import contextlib
import os
import resource
import sys
import warnings
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from didflow_verification.documents.formats import media_type

MAX_MEMORY: Final = 768 * 1024 * 1024
MAX_CPU_S: Final = 10
TIMEOUT_S: Final = 20.0
CONCURRENT: Final = 2
"""How many contents one process of the service recognizes at a time."""


class Recognition:
    """The slots of one process of the service. An account has at most one of them, so it cannot delay the others."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def slot(self, account: str) -> AsyncIterator[None]:
        """Wait for the turn of the account and a free slot."""
        turn = self._turns.setdefault(account, asyncio.Lock())
        async with turn, self._slots:
            yield


async def recognized(content: AsyncIterator[bytes], recognition: Recognition, account: str) -> str | None:
    """Return the media type of a PDF, PNG or JPEG that can be opened, else None. Waits for a slot of the account."""
    async with recognition.slot(account):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-m", __name__, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await _answer(process, content)
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return found or None


async def _answer(process: Process, content: AsyncIterator[bytes]) -> str:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("no pipes")
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for piece in content:
            process.stdin.write(piece)
            await process.stdin.drain()
        process.stdin.close()
    answer = (await process.stdout.read()).decode()
    return answer if await process.wait() == 0 else ""


def main() -> None:
    """Read a content from stdin and print its media type, or nothing. The limits cannot be raised afterwards."""
    for limit, value in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CPU, MAX_CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    warnings.simplefilter("ignore")
    content = sys.stdin.buffer.read()
    found = media_type(content)
    os.write(1, (found or "").encode())


if __name__ == "__main__":
    main()
