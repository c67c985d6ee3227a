"""The calls of librdkafka's mock cluster that didflow uses, from the library inside confluent-kafka's wheel.

Every call returns quickly. The cluster runs in a thread of librdkafka.
"""

import ctypes
import importlib.util
from collections.abc import Iterator
from ctypes import c_char_p, c_int, c_int32, c_size_t, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

_PRODUCER = 0
_ONLY_BROKER = 1
"""The id of the broker. The library counts from 1."""
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
    "rd_kafka_mock_set_controller_id": (None, [c_void_p, c_int32]),
    "rd_kafka_mock_topic_create": (c_int, [c_void_p, c_char_p, c_int, c_int]),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [c_void_p, c_int32]),
}


class MockClusterError(RuntimeError):
    """librdkafka is missing, or refused a call."""

    code = "mock_cluster"


class MockCluster:
    """A mock cluster with one broker. `close` stops it; all records are lost."""

    def __init__(self) -> None:
        """Start the cluster on a free loopback port. Raises MockClusterError."""
        self._library = _library()
        reason = ctypes.create_string_buffer(512)
        conf = self._library.rd_kafka_conf_new()
        # Without this, the library reports on standard error that no broker is configured.
        self._library.rd_kafka_conf_set_log_cb(conf, None)
        self._handle = self._library.rd_kafka_new(_PRODUCER, conf, reason, len(reason))
        if not self._handle:
            raise MockClusterError(reason.value.decode())
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._handle, 1)
        if not self._cluster:
            raise MockClusterError("librdkafka could not start a mock cluster.")
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        # The library names no controller. KafkaJS asks the controller for the id of an idempotent producer.
        self._library.rd_kafka_mock_set_controller_id(self._cluster, _ONLY_BROKER)

    @property
    def bootstrap(self) -> str:
        """`host:port` of the broker."""
        address: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return address.decode()

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic that does not exist. Raises MockClusterError."""
        error = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if error:
            raise MockClusterError(f"{name}: {self._library.rd_kafka_err2str(error).decode()}")

    def close(self) -> None:
        """Stop the cluster and its thread. It can be called more than once."""
        if self._cluster:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._handle)
            self._cluster = None


@cache
def _library() -> ctypes.CDLL:
    path = next(_candidates(), None)
    if path is None:
        raise MockClusterError("confluent-kafka is not installed. Its wheel contains librdkafka.")
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
