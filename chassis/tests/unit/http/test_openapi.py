"""The OpenAPI document describes what holds for every route."""

import json
from typing import Any

from didflow_chassis.http import Router, openapi_json
from didflow_chassis.http.examples import examples_of
from didflow_chassis.http.openapi import Application


async def test_the_document_describes_what_holds_for_every_route(world: Any) -> None:
    """Bearer tokens, problems, keys, pages and batches are described."""
    document = (await world.client.get("/openapi/things.json")).json()
    assert document["security"] == [{"bearer": []}]
    create = document["paths"]["/v1/things"]["post"]
    assert create["responses"]["default"]["content"].keys() == {"application/problem+json"}
    assert "422" not in create["responses"]
    assert create["responses"]["200"]["content"] == create["responses"]["201"]["content"]
    assert [p["name"] for p in create["parameters"]] == ["Idempotency-Key"]
    listed = document["paths"]["/v1/things"]["get"]
    assert [p["name"] for p in listed["parameters"]] == ["name", "limit", "cursor", "sort"]
    batch = document["paths"]["/v1/things/batch/paint"]["post"]["responses"]["200"]
    assert batch["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ThingResults"}


async def test_every_reference_has_its_schema(world: Any) -> None:
    """Every schema that is referenced exists, and FastAPI's own error schemas are removed."""
    text = (await world.client.get("/openapi/things.json")).text
    schemas = json.loads(text)["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= schemas.keys()
    assert "HTTPValidationError" not in schemas
    assert "thing" in schemas["ThingResult"]["properties"]


async def test_the_document_is_the_same_on_the_command_line(world: Any) -> None:
    """The command line writes the document that the API serves, without running anything."""
    service = world.client._transport.app.state.runtime.service
    assert json.loads(openapi_json(service)) == (await world.client.get("/openapi/things.json")).json()


async def test_an_answer_with_an_id_links_to_the_routes_about_that_thing(world: Any) -> None:
    """A created thing, and the first item of a list: the id is the parameter of the path."""
    paths = (await world.client.get("/openapi/things.json")).json()["paths"]
    listed = paths["/v1/things"]["get"]["responses"]["200"].get("links", {})
    jobs = paths["/v1/things/jobs"]["get"]["responses"]["200"]["links"]
    assert {str(link["parameters"]) for link in jobs.values()} == {
        "{'job_id': '$response.body#/items/0/job_id'}"
    }
    shown = paths["/v1/things/jobs/{job_id}"]["get"]
    assert shown["operationId"] in jobs
    assert "links" not in shown["responses"]["200"]
    assert all(link["operationId"] == name for name, link in {**jobs, **listed}.items())


def test_the_nulls_of_an_example_are_in_the_document() -> None:
    """An example without them would not be valid if the field is required."""
    router = Router(tags=["things"])

    @router.post(
        "/things",
        action="operate",
        openapi_extra=examples_of({"no_limit": {"limit": None}}, {"made": {"limit": None}}),
    )
    async def make(body: dict[str, int | None]) -> dict[str, int | None]:
        return body

    app = Application()
    app.state.all_routes = router.routes
    app.include_router(router)
    shown = app.openapi()["paths"]["/v1/things"]["post"]
    for part, name in ((shown["requestBody"], "no_limit"), (shown["responses"]["200"], "made")):
        assert part["content"]["application/json"]["examples"] == {name: {"value": {"limit": None}}}
        assert "schema" in part["content"]["application/json"]
