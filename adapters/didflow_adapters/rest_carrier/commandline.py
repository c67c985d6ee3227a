"""`didflow-http-carrier`: the simulated carrier with an HTTP API as a process."""

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, get_args

import typer

from didflow_adapters.http.process import server
from didflow_adapters.rest_carrier.application import RestCarrier
from didflow_adapters.rest_carrier.behavior import Behavior
from didflow_adapters.rest_carrier.deliveries import Deliveries
from didflow_contracts.terminal import say
from didflow_contracts.vocabulary import CarrierAction
from didflow_webhooks import Rules, Signer

ACTIONS: Final = get_args(CarrierAction)
app = typer.Typer(add_completion=False)


@app.command()
def carry(
    *,
    token: Annotated[str, typer.Option(envvar="CARRIER_TOKEN", help="The bearer token of clients.")],
    webhook_secret: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CARRIER_WEBHOOK_SECRET",
            help="The secret of webhooks: whsec_... Give two during a rotation.",
        ),
    ] = None,
    host: str = "127.0.0.1",
    port: int = 8099,
    latency_ms: Annotated[int, typer.Option(min=0, help="How long every reply takes.")] = 0,
    rate: Annotated[int | None, typer.Option(min=1, help="Requests that are served in a second.")] = None,
    failing: Annotated[float, typer.Option(min=0, max=1, help="Share of requests that fail.")] = 0.0,
    silent: Annotated[float, typer.Option(min=0, max=1, help="Share of replies that never come.")] = 0.0,
    twice: Annotated[float, typer.Option(min=0, max=1, help="Share of effects reported twice.")] = 0.0,
    lost: Annotated[float, typer.Option(min=0, max=1, help="Share of webhooks that are not sent.")] = 0.0,
    asynchronous: Annotated[
        list[str] | None, typer.Option(help="An action that is reported by webhook. May be repeated.")
    ] = None,
    delay_ms: Annotated[int, typer.Option(min=0, help="How long such an action takes.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same failures.")] = 0,
    any_number: Annotated[
        bool, typer.Option("--any-number", help="Accept changes of numbers that were not activated.")
    ] = False,
    executions: Annotated[
        Path | None, typer.Option(help="Append a line of JSON to this file for each effect.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="Networks of webhooks that are not public. Default: loopback.")
    ] = None,
) -> None:
    """Serve the API of a simulated carrier. It keeps everything in memory."""
    if unknown := set(asynchronous or ()) - set(ACTIONS):
        raise typer.BadParameter(f"No such action: {', '.join(sorted(unknown))}.")
    behavior = Behavior(
        latency_s=latency_ms / 1000,
        rate_per_s=rate,
        failing=failing,
        silent=silent,
        twice=twice,
        lost=lost,
        asynchronous=frozenset(action for action in ACTIONS if action in (asynchronous or ())),
        delay_s=delay_ms / 1000,
        seed=seed,
        any_number=any_number,
    )
    try:
        rules = Rules(allowed=tuple(ip_network(each) for each in allow or ["127.0.0.0/8", "::1/128"]))
        signer = Signer(webhook_secret) if webhook_secret else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    deliveries = partial(Deliveries, signer, rules) if signer else None
    asyncio.run(
        _serve(
            lambda: RestCarrier(behavior, token, deliveries() if deliveries else None, executions), host, port
        )
    )


async def _serve(make: Callable[[], RestCarrier], host: str, port: int) -> None:
    carrier = make()
    serving = server(carrier.application(), host, port)

    def stop() -> None:
        serving.should_exit = True

    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop)
    say(f"carrier on http://{host}:{port}")
    try:
        await serving.serve()
    finally:
        await carrier.aclose()


main = app
