"""Reads records whose header names are not UTF-8. aiokafka raises on them in its fetcher and never gets past them.

The bad bytes of such a name are decoded to surrogates. The record then reaches the stage, which makes it a dead letter.
Without this module, its partition stops for good, and the records that were fetched with it are lost.

Replaces: `aiokafka.consumer.fetcher.MemoryRecords`. Public interface that would replace this module: an option of
`AIOKafkaConsumer` that returns header names as bytes.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from didflow_chassis.kafka_internals.versions import AIOKAFKA, Fits

FITS: Final[Fits] = {"aiokafka": AIOKAFKA}
_LENGTH = slice(8, 12)
_OVERHEAD = 12


def install() -> None:
    """Make every consumer of this process read such records. It is safe to call this twice."""
    fetcher.MemoryRecords = LenientRecords


class LenientRecords:
    """The batches of one fetched buffer, with the interface that aiokafka's fetcher uses."""

    def __init__(self, data: bytes) -> None:
        self._fetched = data
        self._data = memoryview(data)
        self._batches = MemoryRecords(data)

    def size_in_bytes(self) -> int:
        """Return the size of the buffer."""
        return len(self._fetched)

    def has_next(self) -> bool:
        """Return True if a complete batch is left."""
        return bool(self._batches.has_next())

    def next_batch(self) -> Any:
        """Return the next batch, or None."""
        batch = self._batches.next_batch()
        size = _OVERHEAD + int.from_bytes(self._data[_LENGTH], "big")
        data, self._data = self._data[:size], self._data[size:]
        return LenientBatch(batch, data) if isinstance(batch, DefaultRecordBatch) else batch


class LenientBatch:
    """A batch of records. If the fast reader raises on a header name, the rest is read by the slow reader."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        """Return everything else from the wrapped batch."""
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        """Return the next record of the fast reader. aiokafka reads control batches in this way."""
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        """Yield every record."""
        taken = 0
        try:
            for taken, record in enumerate(self._batch, 1):  # noqa: B007 - the slow reader skips these records
                yield record
        except UnicodeDecodeError:
            yield from islice(_SlowBatch(bytes(self._data)), taken, None)


class _SlowBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """The batch in pure Python. It differs from the library's class only in how it decodes header names."""

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
    """Reads the fields of one record, one after the other."""

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
