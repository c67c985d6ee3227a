"""A batch has one result for each item, in the order of the request. A bad item never fails the others."""

from typing import Any

import httpx

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_chassis.http.batch import results_model

PATH = "/v1/things/batch/paint"


async def paint(world: Any, names: list[str], **headers: str) -> httpx.Response:
    answer: httpx.Response = await world.client.post(PATH, json={"things": names}, headers=headers)
    return answer


async def test_each_item_has_its_result_in_the_order_of_the_request(world: Any) -> None:
    """Done, unchanged, refused and not found can be in one answer, and are counted."""
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
                "message": "No such thing.",
            },
            {"thing": "thing-2", "outcome": "unchanged", "code": None, "message": None},
        ],
        "done": 1,
        "unchanged": 1,
        "refused": 2,
    }


async def test_all_items_are_one_call_of_the_stage(world: Any) -> None:
    """A thousand items are decided in one transaction."""
    answer = await paint(world, [f"thing-{i}" for i in range(1_000)])
    assert answer.json()["done"] == 1_000
    assert [len(call) for call in world.stage.calls] == [1_000]


async def test_a_thing_named_twice_is_unchanged_the_second_time(world: Any) -> None:
    """It is decided once, also if the request uses both of its names."""
    answer = await paint(world, ["thing-1", "+1", "thing-1", "thing-2"])
    assert [item["outcome"] for item in answer.json()["results"]] == [
        "done",
        "unchanged",
        "unchanged",
        "done",
    ]
    assert [command.entity_id for command in world.stage.calls[0]] == ["thing-1", "thing-2"]


async def test_an_unknown_item_is_not_found_each_time_it_is_named(world: Any) -> None:
    """A repeated unknown name is not `unchanged`. Without a key the stage is not called."""
    answer = await paint(world, ["nobody", "nobody"])
    assert [item["code"] for item in answer.json()["results"]] == ["not_found", "not_found"]
    assert world.stage.calls == []


async def test_none_is_too_few_and_1001_are_too_many(world: Any) -> None:
    """A batch has 1 to 1,000 items."""
    for names, code in (([], "too_few"), (["thing-1"] * 1_001, "too_many")):
        answer = await paint(world, names)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["errors"][0]["field"] == "things"
    assert world.stage.calls == []


async def test_a_batch_with_a_key_is_answered_once(world: Any) -> None:
    """The whole answer is stored, with the items that were not found."""
    for names in (["thing-1", "nobody"], ["nobody"]):
        key = {"Idempotency-Key": names[0]}
        first, second = await paint(world, names, **key), await paint(world, names, **key)
        assert first.content == second.content
        assert second.headers["idempotent-replayed"] == "true"
    assert [len(call) for call in world.stage.calls] == [1, 0]


async def test_an_item_whose_decision_breaks_is_refused_with_a_reference(world: Any) -> None:
    """The other items are done. Only this result has a `reference`, which is in the log."""
    broken = Refused("internal_error", "An internal error occurred.", reference="r-1")
    world.stage.outcome = lambda command: broken if command.entity_id == "thing-2" else Decided()
    first, second = (await paint(world, ["thing-1", "thing-2"])).json()["results"]
    assert (first["outcome"], "reference" in first) == ("done", False)
    assert (second["outcome"], second["code"], second["reference"]) == ("refused", "internal_error", "r-1")


async def test_the_answer_of_a_batch_is_the_one_of_the_document(world: Any) -> None:
    """The documented model accepts the answer, and the item has the declared name."""
    answer = await paint(world, ["thing-1", "nobody"])
    results = results_model("thing").model_validate_json(answer.content, extra="forbid")
    assert results.model_dump(exclude_unset=True) == answer.json()
