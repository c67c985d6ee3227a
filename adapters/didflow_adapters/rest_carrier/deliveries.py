"""Sends signed webhooks. Each one is sent again, after growing pauses, until it is accepted or the pauses end."""

import asyncio
import json
from typing import Any, Final

from didflow_webhooks import GuardedClient, RequestFailed, Rules, Signer

PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Deliveries:
    """Sends webhooks in the background. The id stays the same when one is sent again; the timestamp is new."""

    def __init__(self, signer: Signer, rules: Rules) -> None:
        self._signer = signer
        self._client = GuardedClient(rules, timeout_s=15.0)
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent: list[tuple[str, int | str]] = []

    def send(self, url: str, webhook_id: str, content: dict[str, Any]) -> None:
        """Send a webhook in the background."""
        task = asyncio.create_task(self._deliver(url, webhook_id, json.dumps(content).encode()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Send no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def _deliver(self, url: str, webhook_id: str, body: bytes) -> None:
        for pause_s in (*PAUSES_S, None):
            headers = {"Content-Type": "application/json"} | self._signer.headers(webhook_id, body)
            try:
                reply = await self._client.post(url, body, headers)
            except RequestFailed as error:
                self.sent.append((webhook_id, error.code))
            else:
                self.sent.append((webhook_id, reply.status))
                if reply.is_success or reply.status == 410:
                    return
            if pause_s is not None:
                await asyncio.sleep(pause_s)
