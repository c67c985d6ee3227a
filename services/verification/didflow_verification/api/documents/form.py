"""Reads a multipart form as a stream: first the fields, then one file, of which only one piece is in memory.

The digest covers names and contents, so a retry has the same digest although its boundary differs.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from didflow_chassis.http import FieldError, Problem

FILE: Final = "file"
MAX_FIELDS: Final = 20
MAX_FIELD_BYTES: Final = 16 * 1024


@dataclass(slots=True)
class _Part:
    name: str = ""
    value: bytearray = field(default_factory=bytearray)


class Form:
    """The form of one upload. Iterate `pieces` once. `fields` are those read so far; `digest` is of everything."""

    def __init__(self, request: Request, limit: int) -> None:
        self.fields: dict[str, str] = {}
        self._limit = limit
        self._request = request
        self._digest = sha256()
        self._header_value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._part = _Part()
        self._pieces: list[bytes] = []
        self._has_file = self._ended = False
        self._size = 0

    @property
    def digest(self) -> bytes:
        """The digest of everything read so far, and of the query string."""
        whole = self._digest.copy()
        whole.update(b"\0" + self._request.scope["query_string"])
        return whole.digest()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the file as it arrives. All fields are known before the first piece.

        Raises Problem `media_type_unsupported`, `body_malformed`, `body_too_large` or `input_invalid`.
        """
        parser = self._parser()
        try:
            async for chunk in self._request.stream():
                parser.write(chunk)
                pieces, self._pieces = self._pieces, []
                for piece in pieces:
                    yield piece
        except FormParserError as error:
            raise Problem(
                "body_malformed", "The form cannot be read. Send valid multipart/form-data."
            ) from error
        if not self._ended:
            raise Problem("body_malformed", "The form ended early. Send the whole form.")
        if not self._has_file:
            raise wrong_part(FILE, "missing", "Send a file after all fields.")

    def _parser(self) -> MultipartParser:
        kind, options = parse_options_header(self._request.headers.get("content-type"))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise Problem("media_type_unsupported", "Send multipart/form-data with a boundary.")
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_header_field": self._on_header_name,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise Problem("body_malformed", "The boundary of the form is not valid.") from error

    def _on_part_begin(self) -> None:
        self._headers, self._part = {}, _Part()

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.lower()] = bytes(self._header_value)
        self._header_name, self._header_value = b"", bytearray()

    def _on_headers_finished(self) -> None:
        """Read the name of the part. The file name is ignored."""
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._has_file:
            raise wrong_part(self._part.name, "after_the_file", "Send one file, after all fields.")
        self._has_file = self._part.name == FILE
        if self._part.name in self.fields:
            raise wrong_part(self._part.name, "given_twice", "Send each field only once.")
        if len(self.fields) >= MAX_FIELDS:
            raise wrong_part(self._part.name, "too_many", f"Send at most {MAX_FIELDS} fields.")
        self._digest.update(f"\0{self._part.name}\0".encode())

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        self._digest.update(piece)
        if not self._has_file:
            self._part.value += piece
            if len(self._part.value) > MAX_FIELD_BYTES:
                raise wrong_part(self._part.name, "too_long", f"Send at most {MAX_FIELD_BYTES} bytes.")
            return
        self._size += len(piece)
        if self._size > self._limit:
            raise Problem("body_too_large", f"The file is too large. Send at most {self._limit} bytes.")
        self._pieces.append(piece)

    def _on_part_end(self) -> None:
        if not self._has_file:
            self.fields[self._part.name] = self._part.value.decode("utf-8", "replace")

    def _on_end(self) -> None:
        self._ended = True


def wrong_part(name: str, code: str, message: str) -> Problem:
    """Return the problem of one part of a form."""
    field_name = name[:100] or "body"
    return Problem(
        "input_invalid", message, errors=[FieldError(field=field_name, code=code, message=message)]
    )
