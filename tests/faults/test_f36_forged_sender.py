"""F36: an outsider poses as a service, as another tenant and as another carrier, and forges `sequence` and `actor`.

Its records are on real topics, with and without access rules. The victim's own later events are applied.
"""

from pathlib import Path
from typing import Any, Final

from faults.carrier import StartCarrier
from faults.installation import Install, Installation, ready
from faults.outsider import (
    ACCEPTED,
    as_services,
    of_another_tenant,
    opened,
    sources_file,
    victim_purchase,
)
from harness.outside_records import record

from didflow_contracts.topics import SERVICES

STATUS: Final = "SELECT status FROM dids WHERE did_id = $1"
COMMAND: Final = "SELECT command_id FROM carrier_commands WHERE did_id = $1 AND action = 'activate'"
REFUSED: Final = "SELECT EXISTS (SELECT FROM history WHERE did_id = $1 AND code = 'not_yours')"
CLAIMED: Final = "SELECT claimed_actor FROM history WHERE did_id = $1 AND type = 'didflow.did.purchased.v1'"
ACTORS: Final = "SELECT count(*) FROM history WHERE did_id = $1 AND actor LIKE '%operator%'"


async def test_who_poses_as_a_service_leaves_no_trace_of_its_sequences(install: Install) -> None:
    """F36: without access rules and with open sources, each is `unexpected_source`. The services' own are applied."""
    installation = await install("inventory", "billing")
    await ready(*(installation.worker(name) for name in installation.services))
    victim = victim_purchase()
    async with opened(installation) as here:
        forged = as_services(victim)
        await here.publish(forged)
        await here.publish([record("did.purchased", victim, source="/orders/beta", actor="user:operator")])
        await here.becomes("billing", ACCEPTED, victim["did_id"], True)
        await here.becomes("inventory", CLAIMED, victim["did_id"], "user:operator")
        assert await here.value("inventory", ACTORS, victim["did_id"]) == 0
        for name in installation.services:
            assert await here.letters(name, victim) == {"unexpected_source": len(forged)}


async def test_another_tenant_and_another_carrier_change_nothing(
    install: Install, start_carrier: StartCarrier, tmp_path: Path
) -> None:
    """F36: a registered source names no account of others. Another carrier's result is `not_yours`."""
    installation = await install(*SERVICES)
    await start_carrier(installation)
    sources = sources_file(tmp_path)
    await ready(*(installation.worker(name, **sources) for name in SERVICES))
    victim = victim_purchase()
    async with opened(installation) as here:
        await here.publish(of_another_tenant(victim))
        await here.publish([record("did.purchased", victim, source="/orders/beta")])
        await here.becomes("inventory", STATUS, victim["did_id"], "active")
        command_id = await here.value("provisioning", COMMAND, victim["did_id"])
        result = {
            **{name: victim[name] for name in ("did_id", "number", "account")},
            "command_id": str(command_id),
            "attempt": 1,
            "outcome": "failed",
            "retryable": False,
            "code": "rejected",
        }
        await here.publish([record("provisioning.results", result, source="/carriers/other")])
        await here.becomes("inventory", REFUSED, victim["did_id"], True)
        assert await here.letters("inventory", victim) == {"unexpected_source": 4}
        assert await here.letters("billing", victim) == {"unexpected_source": 3}
        await cancel(installation, victim, sources)
        await here.becomes("inventory", STATUS, victim["did_id"], "terminated")


async def cancel(installation: Installation, victim: dict[str, Any], settings: dict[str, str]) -> None:
    """Cancel the victim's term over HTTP."""
    api = await installation.api("billing", **settings).ready()
    async with installation.http_client(api) as client:
        answer = await client.post("/v1/terms/batch/cancel", {"dids": [victim["did_id"]]})
    assert answer["done"] == 1, answer
