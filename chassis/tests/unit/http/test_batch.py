"""A batch answers entry by entry, in the order asked; one bad entry never fails the rest."""

from typing import Any

import httpx

from didflow_chassis.decision import Decided, Refused, Unchanged

PATH = "/v1/things/batch/paint"


async def paint(world: Any, names: list[str], **headers: str) -> httpx.Response:
    answer: httpx.Response = await world.client.post(PATH, json={"things": names}, headers=headers)
    return answer


async def test_each_entry_has_its_outcome_in_the_order_asked(world: Any) -> None:
    """Done, unchanged, refused and not found stand side by side, and are counted."""
    outcomes: dict[str, Any] = {"thing-2": Unchanged(), "thing-3": Refused("locked", "someone else has it")}
    world.stage.outcome = lambda command: outcomes.get(command.entity_id, Decided())
    answer = await paint(world, ["thing-3", "+1", "nobody", "thing-2"])
    assert answer.status_code == 200
    assert answer.json() == {
        "results": [
            {"thing": "thing-3", "outcome": "refused", "code": "locked", "message": "someone else has it"},
            {"thing": "+1", "outcome": "done", "code": None, "message": None},
            {
                "thing": "nobody",
                "outcome": "refused",
                "code": "not_found",
                "message": "No such number or id in your accounts.",
            },
            {"thing": "thing-2", "outcome": "unchanged", "code": None, "message": None},
        ],
        "done": 1,
        "unchanged": 1,
        "refused": 2,
    }


async def test_all_entries_are_one_call_of_the_stage(world: Any) -> None:
    """A thousand entries are decided in one transaction."""
    answer = await paint(world, [f"thing-{i}" for i in range(1_000)])
    assert answer.json()["done"] == 1_000
    assert [len(call) for call in world.stage.calls] == [1_000]


async def test_a_thing_named_twice_is_unchanged_the_second_time(world: Any) -> None:
    """Also when it is named once by each of its names; it is decided once."""
    answer = await paint(world, ["thing-1", "+1", "thing-1", "thing-2"])
    assert [entry["outcome"] for entry in answer.json()["results"]] == [
        "done",
        "unchanged",
        "unchanged",
        "done",
    ]
    assert [command.entity_id for command in world.stage.calls[0]] == ["thing-1", "thing-2"]


async def test_unknown_entries_are_not_found_each_time(world: Any) -> None:
    """An unknown name repeated is as unknown; without a key there is nothing to decide or keep."""
    answer = await paint(world, ["nobody", "nobody"])
    assert [entry["code"] for entry in answer.json()["results"]] == ["not_found", "not_found"]
    assert world.stage.calls == []


async def test_none_is_too_few_and_1001_are_too_many(world: Any) -> None:
    """A batch has 1 to 1,000 entries."""
    for names, code in (([], "too_few"), (["thing-1"] * 1_001, "too_many")):
        answer = await paint(world, names)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["errors"][0]["field"] == "things"
    assert world.stage.calls == []


async def test_a_batch_under_a_key_is_answered_once(world: Any) -> None:
    """The whole answer is kept, entries that were not found included."""
    for names in (["thing-1", "nobody"], ["nobody"]):
        key = {"Idempotency-Key": names[0]}
        first, second = await paint(world, names, **key), await paint(world, names, **key)
        assert first.content == second.content
        assert second.headers["idempotent-replayed"] == "true"
    assert [len(call) for call in world.stage.calls] == [1, 0]
