"""The few calls of librdkafka's mock cluster that we use, from the library inside confluent-kafka's wheel.

Every call blocks for at most a moment; the cluster runs in a thread of librdkafka's own.
"""

import ctypes
import importlib.util
from collections.abc import Iterator
from ctypes import c_char_p, c_int, c_int32, c_size_t, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

_PRODUCER = 0
_NAMES = ("librdkafka*.so*", "librdkafka*.dylib", "librdkafka*.dll")

_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "rd_kafka_conf_new": (c_void_p, []),
    "rd_kafka_conf_set": (c_int, [c_void_p, c_char_p, c_char_p, c_char_p, c_size_t]),
    "rd_kafka_conf_set_log_cb": (None, [c_void_p, c_void_p]),
    "rd_kafka_new": (c_void_p, [c_int, c_void_p, c_char_p, c_size_t]),
    "rd_kafka_destroy": (None, [c_void_p]),
    "rd_kafka_err2str": (c_char_p, [c_int]),
    "rd_kafka_mock_cluster_new": (c_void_p, [c_void_p, c_int]),
    "rd_kafka_mock_cluster_destroy": (None, [c_void_p]),
    "rd_kafka_mock_cluster_bootstraps": (c_char_p, [c_void_p]),
    "rd_kafka_mock_topic_create": (c_int, [c_void_p, c_char_p, c_int, c_int]),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [c_void_p, c_int32]),
}


class MockClusterError(RuntimeError):
    """librdkafka is missing, or refused a call."""

    code = "mock-cluster"


class MockCluster:
    """A one-broker mock cluster; `close` ends it and forgets all that it held."""

    def __init__(self) -> None:
        """Start it on a free port of loopback. Raises MockClusterError."""
        self._library = _library()
        reason = ctypes.create_string_buffer(512)
        conf = self._library.rd_kafka_conf_new()
        # Without this the library says on standard error that no broker was configured.
        self._library.rd_kafka_conf_set_log_cb(conf, None)
        self._handle = self._library.rd_kafka_new(_PRODUCER, conf, reason, len(reason))
        if not self._handle:
            raise MockClusterError(reason.value.decode())
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._handle, 1)
        if not self._cluster:
            raise MockClusterError("no mock cluster")
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)

    @property
    def bootstrap(self) -> str:
        """`host:port` of the broker."""
        address: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return address.decode()

    def create_topic(self, name: str, partitions: int) -> None:
        """Make a topic that is not there yet. Raises MockClusterError."""
        error = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if error:
            raise MockClusterError(f"{name}: {self._library.rd_kafka_err2str(error).decode()}")

    def close(self) -> None:
        """End the cluster and its thread; repeatable."""
        if self._cluster:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._handle)
            self._cluster = None


@cache
def _library() -> ctypes.CDLL:
    path = next(_candidates(), None)
    if path is None:
        raise MockClusterError("confluent-kafka's wheel, which carries librdkafka, is not installed")
    library = ctypes.CDLL(str(path))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    for folder in (package.with_name("confluent_kafka.libs"), package / ".dylibs", package):
        for pattern in _NAMES:
            yield from folder.glob(pattern)
