"""The simulated carrier, its adapter and the receiver of webhooks, on real sockets of this process."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from harness.rest_carrier import KEY, SECRET, TOKEN, World, changed, serving

from didflow_adapters.http import HttpCarrier
from didflow_adapters.http.attempts import OpenAttempts
from didflow_adapters.http.receiver import Receiver
from didflow_adapters.kit import CommandReference, Outcome
from didflow_adapters.rest_carrier import Behavior, RestCarrier
from didflow_adapters.rest_carrier.deliveries import Deliveries
from didflow_webhooks import Rules, Signer
from didflow_webhooks.addresses import networks

NORMAL = Behavior()


@pytest.fixture
def secrets_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secrets that the shipped configuration names."""
    monkeypatch.setenv("CARRIER_TOKEN", TOKEN)
    monkeypatch.setenv("CARRIER_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("CALLBACK_KEY", KEY)


@pytest.fixture
async def world(secrets_in_environment: None) -> AsyncIterator[Callable[..., Any]]:
    """Starts a carrier with this behavior, and its adapter with these changes of the configuration."""
    stack = AsyncExitStack()

    async def start(behavior: Behavior = NORMAL, processes: int = 1, **changes: Any) -> World:
        deliveries = Deliveries(Signer([SECRET]), Rules(allowed=networks("127.0.0.0/8")))
        rest = RestCarrier(behavior, TOKEN, deliveries)
        stack.push_async_callback(rest.aclose)
        port = await stack.enter_async_context(serving(rest.application()))
        configuration = changed(base_url=f"http://127.0.0.1:{port}", **changes)
        found = World(rest, HttpCarrier(configuration))
        webhook, tokens = configuration.webhook, found.adapter.tokens
        assert webhook is not None
        assert tokens is not None

        async def report(reference: CommandReference, outcome: Outcome) -> None:
            found.reported.append((reference, outcome))

        for position in range(processes):
            # The last process is the one that calls.
            attempts = found.adapter.attempts if position == processes - 1 else OpenAttempts()
            receiver = Receiver("rest", webhook, tokens, attempts, report)
            found.receivers.append(await stack.enter_async_context(serving(receiver.application())))
        if found.receivers:
            last = webhook.model_copy(
                update={"public_url": f"http://127.0.0.1:{found.receivers[-1]}/webhooks"}
            )
            await found.adapter.aclose()
            attempts = found.adapter.attempts
            found.adapter = HttpCarrier(configuration.model_copy(update={"webhook": last}))
            found.adapter.attempts = attempts
        stack.push_async_callback(found.adapter.aclose)
        return found

    yield start
    await stack.aclose()
