"""The formats of documents: PDF, PNG and JPEG. A content has a format only if a library can open and decode it.

A content that is another file too is not readable: a PDF or an archive inside an image, or anything behind the end of a
PDF or a PNG. These functions parse hostile bytes. Call them only in the process of `recognition`.
"""

import io
import zipfile
from collections.abc import Callable
from typing import Final

# ruff: noqa: PLC0415 - the libraries are loaded only inside the separate process

MAX_PIXELS: Final = 200_000_000
"""The most pixels of an image."""

MAX_DECODED_PIXELS: Final = 80_000_000
"""The most pixels of a PNG, which is decoded at its full size: a page of A3 at 600 dpi has 70 million."""

MIN_SIDE: Final = 16
"""The smallest width and height of an image, in pixels. Smaller images cannot be read."""

_PADDING: Final = b"\0\t\n\r "
_PDF_MARK: Final = b"%PDF-"
_PDF_MARK_WITHIN: Final = 1_024
"""Readers of PDFs look for the mark in so many first bytes."""


def media_type(content: bytes) -> str | None:
    """Return the media type of a content, or None. Raises the errors of the libraries if it cannot be opened."""
    for magic, kind, opens in _FORMATS:
        if content.startswith(magic):
            return kind if opens(content) and not _is_archive(content) else None
    return None


def _opens_as_pdf(content: bytes) -> bool:
    """Return True if the PDF is complete, not encrypted, and has all its pages with their contents."""
    from pypdf import PdfReader

    if not content.rstrip(_PADDING).endswith(b"%%EOF"):
        return False
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted or not reader.pages:
        return False
    for page in reader.pages:
        page_content = page.get("/Contents")
        if page_content is not None and page_content.get_object() is None:
            return False
    return True


def _opens_as_png(content: bytes) -> bool:
    """Return True if all checksums are right, all pixels decode, and nothing follows the end."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        width, height = image.size
        if min(width, height) < MIN_SIDE or width * height > MAX_DECODED_PIXELS:
            return False
        image.verify()
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        image.load()
    return not content[_end_of_png(content) :].strip(_PADDING) and not _has_pdf_mark(content)


def _opens_as_jpeg(content: bytes) -> bool:
    """Return True if all blocks decode. They are scaled to an eighth, so the image needs little memory.

    Cameras write more pictures or a short film behind the first picture, so bytes behind its end are allowed.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        if min(image.size) < MIN_SIDE:
            return False
        image.draft("L", (image.width // 8, image.height // 8))
        image.load()
    return not _has_pdf_mark(content)


def _end_of_png(content: bytes) -> int:
    """Return where the last chunk of a PNG ends. Its chunks have been verified."""
    place, kind = 8, b""
    while kind != b"IEND" and place < len(content):
        size, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        place += size + 12
    return place


def _has_pdf_mark(content: bytes) -> bool:
    return _PDF_MARK in content[:_PDF_MARK_WITHIN]


def _is_archive(content: bytes) -> bool:
    """Return True if the content ends as a ZIP archive does, which programs open from its end."""
    return zipfile.is_zipfile(io.BytesIO(content))


_FORMATS: Final[tuple[tuple[bytes, str, Callable[[bytes], bool]], ...]] = (
    (_PDF_MARK, "application/pdf", _opens_as_pdf),
    (b"\x89PNG\r\n\x1a\n", "image/png", _opens_as_png),
    (b"\xff\xd8\xff", "image/jpeg", _opens_as_jpeg),
)
