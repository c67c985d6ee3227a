"""Python loads this file in a child process whose `PYTHONPATH` has this folder. The child then uses `KAFKA_VIA`.

A broker tells its clients its own address. To put a proxy in between, the clients must dial another one.
"""

import os
from typing import Any

if "KAFKA_VIA" in os.environ:
    import aiokafka.client

    _dial = aiokafka.client.create_conn

    async def _rerouted(host: str, _port: int, **options: Any) -> Any:
        return await _dial(host, int(os.environ["KAFKA_VIA"]), **options)

    aiokafka.client.create_conn = _rerouted
