"""Make all Kafka connections of a child process go to the port `KAFKA_VIA`.

Python loads this file in a child process whose `PYTHONPATH` has this folder. A broker sends its own address to its
clients, so a proxy in between needs clients that ignore this address.
"""

import os
from typing import Any

if "KAFKA_VIA" in os.environ:
    import aiokafka.client

    _dial = aiokafka.client.create_conn

    async def _rerouted(host: str, _port: int, **options: Any) -> Any:
        return await _dial(host, int(os.environ["KAFKA_VIA"]), **options)

    aiokafka.client.create_conn = _rerouted
