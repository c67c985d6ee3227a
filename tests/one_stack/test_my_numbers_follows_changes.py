"""My Numbers follows a change within a second: Not Configured, Active, and the next step."""

from typing import Any, Final

import pytest

from didflow_contracts.terminal import say
from one_stack.caller import Caller

pytestmark = pytest.mark.asyncio(loop_scope="package")

WITHIN_S: Final = 1.0
"""Source: spec http, conventions: a read follows within a second."""
ROUNDS: Final = 2
ACTIVE: Final = ("active", "none")


def shown(view: Any) -> Any:
    """Return the status and the next step."""
    return view["status"], view["next_step"]["action"]


async def test_not_configured_active_and_the_next_step_follow_a_change_within_a_second(
    caller: Caller,
) -> None:
    """Each change is measured twice, and the faster counts: a busy machine delays one of them."""
    did = await caller.purchase("+442079460901")
    trunk = await caller.ask("POST", "/v1/voice-trunks", {"name": "Desk", "forward_to": "+35315550123"})
    voice = {"voice_trunk_id": trunk["voice_trunk_id"]}
    changes = [
        ("/v1/routing/batch/set-voice", voice, ("not_configured", "assign_capacity")),
        ("/v1/routing/batch/set-capacity", {"capacity": 1}, ACTIVE),
        ("/v1/routing/batch/set-capacity", {"capacity": 0}, ("not_configured", "assign_capacity")),
        ("/v1/routing/batch/set-capacity", {"capacity": "unlimited"}, ACTIVE),
        ("/v1/dids/batch/block", {}, ("blocked", "unblock")),
        ("/v1/dids/batch/unblock", {}, ACTIVE),
        ("/v1/terms/batch/cancel", {}, ("terminated", "restore")),
        ("/v1/terms/batch/restore", {}, ACTIVE),
        ("/v1/routing/batch/clear", {}, ("not_configured", "assign_voice_trunk")),
    ]
    await caller.shows(shown, ("not_configured", "assign_voice_trunk"), did)
    measured: dict[int, list[float]] = {}
    for _ in range(ROUNDS):
        for number, (path, body, expected) in enumerate(changes):
            await caller.done(path, [did], **body)
            await caller.shows(shown, expected, did)
            measured.setdefault(number, []).append(caller.delays[-1])
    for number, (path, body, _) in enumerate(changes):
        say(f"{path} {body}: {', '.join(f'{1000 * each:.0f} ms' for each in measured[number])}")
    assert max(min(each) for each in measured.values()) < WITHIN_S
