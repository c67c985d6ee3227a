"""Record batches whose header names are not UTF-8, which aiokafka raises on in its fetcher and never gets past.

Such a name is decoded with surrogates in place of its bad bytes; the record then reaches the stage like any other
and is dead-lettered alone. Without this the partition stops for good, and what was fetched beside it is lost.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

_LENGTH = slice(8, 12)
_OVERHEAD = 12


def accept_any_header_name() -> None:
    """Let every consumer of this process read such records. Repeatable."""
    fetcher.MemoryRecords = LenientRecords


class LenientRecords:
    """The batches of one fetched buffer, as aiokafka's fetcher walks them."""

    def __init__(self, data: bytes) -> None:
        self._fetched = data
        self._data = memoryview(data)
        self._batches = MemoryRecords(data)

    def size_in_bytes(self) -> int:
        """How much was fetched."""
        return len(self._fetched)

    def has_next(self) -> bool:
        """Whether a whole batch is left."""
        return bool(self._batches.has_next())

    def next_batch(self) -> Any:
        """Return the next batch, or None."""
        batch = self._batches.next_batch()
        size = _OVERHEAD + int.from_bytes(self._data[_LENGTH], "big")
        data, self._data = self._data[:size], self._data[size:]
        return LenientBatch(batch, data) if isinstance(batch, DefaultRecordBatch) else batch


class LenientBatch:
    """A batch that is read again, leniently, from the record on whose header name the fast reader raised."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        """Everything else is the batch's own."""
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        """Return the next record as the fast reader sees it; control batches are read so."""
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        """Give every record."""
        taken = 0
        try:
            for taken, record in enumerate(self._batch, 1):  # noqa: B007 - counted for the second reader
                yield record
        except UnicodeDecodeError:
            yield from islice(_SlowBatch(bytes(self._data)), taken, None)


class _SlowBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """The same batch in Python; the library's own differs in the decoding of header names alone."""

    _pos: int

    def _read_msg(self) -> Any:
        read = _Reader(self._buffer, self._pos)
        read.skip_length_and_attributes()
        timestamp, offset = self.first_timestamp + read.number(), self.base_offset + read.number()
        key, value = read.blob(), read.blob()
        headers = [(read.name(), read.blob()) for _ in range(read.number())]
        self._pos = read.at
        if self.timestamp_type == self.LOG_APPEND_TIME:
            timestamp = self.max_timestamp
        return _DefaultRecordPy(offset, timestamp, self.timestamp_type, key, value, headers)


class _Reader:
    """Walks over one record's bytes."""

    def __init__(self, data: bytearray, at: int) -> None:
        self._data, self.at = data, at

    def skip_length_and_attributes(self) -> None:
        self.number()
        self.number()

    def number(self) -> int:
        value: int
        value, self.at = decode_varint(self._data, self.at)
        return value

    def blob(self) -> bytes | None:
        size = self.number()
        return None if size < 0 else self._take(size)

    def name(self) -> str:
        return self._take(self.number()).decode("utf-8", "surrogateescape")

    def _take(self, size: int) -> bytes:
        begin, self.at = self.at, self.at + size
        return bytes(self._data[begin : self.at])
