"""What only looks like a PDF, PNG or JPEG is not recognized, and no content harms the process that receives it."""

import asyncio
import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from pypdf import PdfWriter

from didflow_verification.documents.formats import media_type
from didflow_verification.documents.recognition import Recognition, recognized


def image(form: str, mode: str = "RGB", size: tuple[int, int] = (300, 200), **options: Any) -> bytes:
    written = io.BytesIO()
    Image.effect_noise(size, 90).convert(mode).save(written, form, **options)
    return written.getvalue()


def pdf(pages: int = 2, **metadata: str) -> bytes:
    writer, written = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(200, 300)
    writer.add_metadata({f"/{name}": text for name, text in metadata.items()})
    writer.write(written)
    return written.getvalue()


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as files:
        files.writestr("Main.class", b"\xca\xfe\xba\xbe")
    return written.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, data: bytes | None = None, color: int = 2, depth: int = 8) -> bytes:
    """Return a PNG whose checksums are right. `data` is what its pixels are decompressed from."""
    row = {0: 1, 2: 3, 6: 4}[color] * width * depth // 8 + 1
    pixels = zlib.compress(bytes(row) * height, 9) if data is None else data
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def with_comment(jpeg: bytes, comment: bytes) -> bytes:
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpeg[2:]


def found(content: bytes) -> str | None:
    """Return the media type as the separate process does: an error of a library means that it has none."""
    try:
        return media_type(content)
    except Exception:  # noqa: BLE001 - the libraries raise many kinds
        return None


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65_536):
        yield content[start : start + 65_536]


def info(text: str) -> PngImagePlugin.PngInfo:
    made = PngImagePlugin.PngInfo()
    made.add_text("Comment", text, zip=True)
    return made


def scan() -> bytes:
    written = io.BytesIO()
    Image.effect_noise((600, 800), 90).convert("L").save(written, "PDF", resolution=72)
    return written.getvalue()


READABLE: dict[str, tuple[str, bytes]] = {
    "a PNG in black and white": ("image/png", image("PNG", "1")),
    "a PNG with a palette": ("image/png", image("PNG", "P")),
    "a PNG with transparency": ("image/png", image("PNG", "RGBA")),
    "a PNG with 16 bits": ("image/png", png(64, 64, color=0, depth=16)),
    "a PNG with a comment": ("image/png", image("PNG", pnginfo=info("Passport"))),
    "a PNG with padding": ("image/png", image("PNG") + bytes(5_000)),
    "a baseline JPEG": ("image/jpeg", image("JPEG")),
    "a progressive JPEG": ("image/jpeg", image("JPEG", progressive=True)),
    "a JPEG for print": ("image/jpeg", image("JPEG", "CMYK")),
    "a gray JPEG with Exif data": ("image/jpeg", image("JPEG", "L", exif=Image.Exif().tobytes())),
    "a JPEG with a second picture": ("image/jpeg", image("JPEG") + image("JPEG", size=(30, 20))),
    "a written PDF": ("application/pdf", pdf()),
    "a scanned PDF": ("application/pdf", scan()),
    "a PDF with a line end": ("application/pdf", pdf() + b"\r\n"),
}


@pytest.mark.parametrize("name", READABLE)
def test_a_file_of_a_real_program_is_recognized(name: str) -> None:
    """The media type follows from the content."""
    kind, content = READABLE[name]
    assert found(content) == kind


def unreadable() -> Iterator[tuple[str, bytes]]:
    """Return files that look like documents."""
    noise = image("PNG")
    jpeg = image("JPEG")
    raw = zlib.compress(bytes(301 * 3) * 5)
    yield "a PNG whose pixels are no compressed data", png(300, 200, data=b"not deflate" * 90)
    yield "a PNG with too few rows", png(300, 200, data=raw)
    yield "a PNG without pixels", png(300, 200, data=b"")
    yield "a PNG cut in the middle", noise[: len(noise) // 2]
    yield "a PNG without its end", noise[:-12]
    yield "a PNG with a wrong checksum", noise[:-6] + b"\0\0" + noise[-4:]
    yield "a JPEG cut in the middle", jpeg[: len(jpeg) // 2]
    yield "a JPEG of a header alone", jpeg[:400]
    yield "a PDF cut in the middle", pdf(40)[:2_000] + b"%%EOF"
    yield "a PDF without pages", pdf(0)
    yield "a PDF header alone", b"%PDF-1.7\n%%EOF"
    yield "a PNG that is an archive too", noise + archive()
    yield "a JPEG that is an archive too", jpeg + archive()
    yield "a PDF that is an archive too", pdf() + archive()
    yield "a PDF with an archive before its last mark", pdf() + archive() + b"\n%%EOF\n"
    yield "a JPEG that is a PDF too", with_comment(jpeg, pdf())
    yield "a PNG that is a web page too", noise + b"<html><script>alert(1)</script></html>"
    yield "a PDF that is a web page too", pdf() + b"<html><script>alert(1)</script></html>"
    yield "a PNG of a billion pixels", png(40_000, 25_000, data=zlib.compress(bytes(1_000_000)))
    yield "a PNG of more pixels than are decoded", png(10_000, 9_000, color=0)
    yield "a PNG whose comment is a bomb", image("PNG", pnginfo=info("x" * 200_000_000))


UNREADABLE = dict(unreadable())


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_only_looks_like_a_document_is_not_recognized(name: str) -> None:
    """It begins like a document and cannot be decoded, is something else too, or is too large to be decoded."""
    assert found(UNREADABLE[name]) is None


async def test_a_content_is_opened_in_a_process_with_limits() -> None:
    """It gives the same answers. What needs more memory than the limit, or time without end, has no media type."""
    recognition = Recognition()
    contents = {
        "image/png": image("PNG"),
        "application/pdf": pdf(),
        "a bomb": image("PNG", pnginfo=info("x" * 200_000_000)),
        "an archive": image("JPEG") + archive(),
    }
    kinds = {name: await recognized(pieces(content), recognition, "a") for name, content in contents.items()}
    assert kinds == {
        "image/png": "image/png",
        "application/pdf": "application/pdf",
        "a bomb": None,
        "an archive": None,
    }


async def test_one_account_never_has_all_slots() -> None:
    """Its second content waits although a slot is free, and one of another account does not."""
    recognition = Recognition()
    order: list[str] = []

    async def take(account: str) -> None:
        async with recognition.slot(account):
            order.append(account)

    async with recognition.slot("a"):
        waiting = asyncio.create_task(take("a"))
        await asyncio.sleep(0)
        await asyncio.wait_for(take("b"), 5)
    await waiting
    assert order == ["b", "a"]
