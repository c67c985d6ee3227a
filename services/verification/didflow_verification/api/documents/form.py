"""A multipart form read as it arrives: fields first, then one file, of which no more than a piece is ever held.

The digest is over names and contents, so that a retry is known as one whatever boundary it has.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from didflow_chassis.http.problems import FieldError, Problem

FILE: Final = "file"
MAX_FIELDS: Final = 20
MAX_FIELD_BYTES: Final = 16 * 1024


@dataclass(slots=True)
class _Part:
    name: str = ""
    value: bytearray = field(default_factory=bytearray)


class Form:
    """One upload's form. Iterate `pieces` once; `fields` has those that came so far, `digest` is of all."""

    def __init__(self, request: Request, limit: int) -> None:
        self.fields: dict[str, str] = {}
        self._limit = limit
        self._request = request
        self._digest = sha256()
        self._header = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._part = _Part()
        self._pieces: list[bytes] = []
        self._filed = self._ended = False
        self._size = 0

    @property
    def digest(self) -> bytes:
        """The digest of everything read so far, and of the query string."""
        whole = self._digest.copy()
        whole.update(b"\0" + self._request.scope["query_string"])
        return whole.digest()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the file as it arrives; all fields are there before its first piece.

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
            raise Problem("body_malformed", "The form cannot be read.") from error
        if not self._ended:
            raise Problem("body_malformed", "The form ended early.")
        if not self._filed:
            raise wrong(FILE, "missing", "a file is needed, after all fields")

    def _parser(self) -> MultipartParser:
        kind, options = parse_options_header(self._request.headers.get("content-type"))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise Problem("media_type_unsupported", "Send multipart/form-data.")
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._named,
                    "on_end": self._finish,
                },
            )
        except FormParserError as error:
            raise Problem("body_malformed", "The form's boundary cannot be used.") from error

    def _begin(self) -> None:
        self._headers, self._part = {}, _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = bytes(self._header)
        self._name, self._header = b"", bytearray()

    def _named(self) -> None:
        """Know the part by its name; whatever its file is called is not looked at."""
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._filed:
            raise wrong(self._part.name[:100], "after_the_file", "the file comes last, and there is one")
        self._filed = self._part.name == FILE
        if self._part.name in self.fields or len(self.fields) >= MAX_FIELDS:
            raise wrong(self._part.name[:100], "given_twice", "each field once")
        self._digest.update(f"\0{self._part.name}\0".encode())

    def _data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        self._digest.update(piece)
        if not self._filed:
            self._part.value += piece
            if len(self._part.value) > MAX_FIELD_BYTES:
                raise wrong(self._part.name[:100], "too_long", f"at most {MAX_FIELD_BYTES} bytes")
            return
        self._size += len(piece)
        if self._size > self._limit:
            raise Problem("body_too_large", f"A file has at most {self._limit} bytes.")
        self._pieces.append(piece)

    def _end(self) -> None:
        if not self._filed:
            self.fields[self._part.name] = self._part.value.decode("utf-8", "replace")

    def _finish(self) -> None:
        self._ended = True


def wrong(name: str, code: str, message: str) -> Problem:
    """Make the problem of one field of a form."""
    return Problem(
        "input_invalid", "See errors.", errors=[FieldError(field=name, code=code, message=message)]
    )
