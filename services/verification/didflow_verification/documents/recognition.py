"""Recognizes the content of a document by opening it, never by its name.

Uploaded files are parsed in a process of their own, with limited memory and time, that cannot write files. A content
is unreadable if that process cannot open it, crashes or takes too long. As a program, this module reads from stdin.
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

# ruff: noqa: PLC0415 - the libraries are loaded only inside the separate process

MAX_MEMORY: Final = 768 * 1024 * 1024
MAX_CPU_S: Final = 10
TIMEOUT_S: Final = 20.0
CONCURRENT: Final = 2
"""How many contents one process of the service recognizes at a time."""

MAX_PIXELS: Final = 200_000_000
MIN_SIDE: Final = 16
"""The smallest width and height of an image, in pixels. Smaller images cannot be read."""

_TAIL = 2_048


async def recognized(content: AsyncIterator[bytes], slots: asyncio.Semaphore) -> str | None:
    """Return the media type of a PDF, PNG or JPEG that can be opened, else None. Waits for a free slot."""
    async with slots:
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


def media_type(content: bytes) -> str | None:
    """Return the media type of a content, or None. Raises the errors of the libraries if it cannot be opened."""
    for magic, kind, opens in _KINDS:
        if content.startswith(magic):
            return kind if opens(content) else None
    return None


def _opens_as_pdf(content: bytes) -> bool:
    """Return True if the PDF is complete, not encrypted, and has all its pages with their contents."""
    from pypdf import PdfReader

    if b"%%EOF" not in content[-_TAIL:]:
        return False
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted or not reader.pages:
        return False
    for page in reader.pages:
        page_content = page.get("/Contents")
        if page_content is not None and page_content.get_object() is None:
            return False
    return True


def _opens_as_image(content: bytes) -> bool:
    """Return True if the image decodes to its last line (a JPEG at an eighth of its size) and is large enough."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
        large = min(image.size) >= MIN_SIDE
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
