"""Loaded by a child process whose `PYTHONPATH` names this folder: it speaks to Kafka through `KAFKA_VIA`.

A broker tells its clients an address of its own; whoever is to stand in between has to be dialled instead.
"""

import os
from typing import Any

if "KAFKA_VIA" in os.environ:
    import aiokafka.client

    _dial = aiokafka.client.create_conn

    async def _rerouted(host: str, _port: int, **options: Any) -> Any:
        return await _dial(host, int(os.environ["KAFKA_VIA"]), **options)

    aiokafka.client.create_conn = _rerouted
