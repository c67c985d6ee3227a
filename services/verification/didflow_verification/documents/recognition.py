"""What a document's content is: opened as far as tells whether a person could read it, never by its name.

Strangers' files are parsed in a process of its own, with little memory and time and nothing to write to; what it
cannot open, ends it or takes too long is unreadable. Run as a program it reads the content from its input.
"""

import asyncio
import contextlib
import io
import os
import resource
import sys
import warnings
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from typing import Final

# ruff: noqa: PLC0415 - the libraries are loaded only inside the process of its own

MEMORY: Final = 768 * 1024 * 1024
CPU_S: Final = 10
PATIENCE_S: Final = 20.0
AT_ONCE: Final = 2
"""So many contents are looked at in one process of ours at a time."""

MOST_PIXELS: Final = 200_000_000
LEAST_SIDE: Final = 16
"""Pixels: nobody can read anything in less."""

_TAIL = 2_048


async def recognized(content: AsyncIterator[bytes], turns: asyncio.Semaphore) -> str | None:
    """Return the media type of a content: PDF, PNG or JPEG that can be opened; else None. Waits for its turn."""
    async with turns:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-m", __name__, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                said = await _told(process, content)
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return said or None


async def _told(process: Process, content: AsyncIterator[bytes]) -> str:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("no pipes")
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for piece in content:
            process.stdin.write(piece)
            await process.stdin.drain()
        process.stdin.close()
    said = (await process.stdout.read()).decode()
    return said if await process.wait() == 0 else ""


def media_type(content: bytes) -> str | None:
    """Return the media type of what can be opened. Raises whatever the libraries raise on what cannot."""
    for mark, kind, opens in _KINDS:
        if content.startswith(mark):
            return kind if opens(content) else None
    return None


def _opens_as_pdf(content: bytes) -> bool:
    """Whether it is whole, not encrypted, and every page with what is on it is there."""
    from pypdf import PdfReader

    if b"%%EOF" not in content[-_TAIL:]:
        return False
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted or not reader.pages:
        return False
    for page in reader.pages:
        drawn = page.get("/Contents")
        if drawn is not None and drawn.get_object() is None:
            return False
    return True


def _opens_as_image(content: bytes) -> bool:
    """Whether it decodes to its last line (a JPEG at an eighth of its size) and has a size to read."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
        large = min(image.size) >= LEAST_SIDE
        if image.format == "PNG":
            image.verify()
            return large
        image.draft("L", (image.width // 8, image.height // 8))
        image.load()
    return large


_KINDS: tuple[tuple[bytes, str, Callable[[bytes], bool]], ...] = (
    (b"%PDF-", "application/pdf", _opens_as_pdf),
    (b"\x89PNG\r\n\x1a\n", "image/png", _opens_as_image),
    (b"\xff\xd8\xff", "image/jpeg", _opens_as_image),
)


def main() -> None:
    """Read a content from the input and say its media type, or nothing; with bounds that cannot be lifted."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    warnings.simplefilter("ignore")
    content = sys.stdin.buffer.read()
    found = media_type(content)
    os.write(1, (found or "").encode())


if __name__ == "__main__":
    main()
