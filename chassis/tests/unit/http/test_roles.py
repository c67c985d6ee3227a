"""The role of the caller is checked before anything is read, looked up or replayed."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from things import SERVICE

from didflow_chassis.decision import Caller
from didflow_chassis.http import BatchAnswer, Http, Router, openapi_json
from didflow_contracts.roles import ACTIONS, ROLES, ROLES_OF

KEY = {"Idempotency-Key": "k-1"}


class NoList(BaseModel):
    """A body without a list."""

    colour: str


@pytest.mark.parametrize("headers", [{}, KEY])
async def test_a_role_that_may_not_is_refused_before_anything_is_looked_up(world: Any, headers: Any) -> None:
    """A body that is not even JSON makes no difference, and neither database nor stage is touched."""
    world.database.failure = world.stage.failure = AssertionError("touched")
    answer = await world.client.post(
        "/v1/things", content=b"{", headers=headers | world.bearer(role="enterprise_admin")
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
    assert "master_reseller" in answer.json()["detail"]


async def test_a_role_that_may_not_does_not_get_a_stored_answer(world: Any) -> None:
    """The first answer under a key is for callers whose role may do the action, also after a change of role."""
    body = {"colour": "red"}
    first = await world.client.post("/v1/things", json=body, headers=KEY)
    assert first.status_code == 201
    later = await world.client.post("/v1/things", json=body, headers=KEY | world.bearer(role="user"))
    assert (later.status_code, later.json()["code"]) == (403, "role_not_allowed")


async def test_a_batch_route_checks_the_role_too(world: Any) -> None:
    """Batch routes are routes like the others."""
    answer = await world.client.post(
        "/v1/things/batch/paint", json={"things": ["thing-1"]}, headers=world.bearer(role="reviewer")
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")


async def test_the_document_names_the_action_of_each_route(world: Any) -> None:
    """Programs can read from the OpenAPI document which action a route needs."""
    paths = (await world.client.get("/openapi/things.json")).json()["paths"]
    assert paths["/v1/things"]["get"]["x-action"] == "see_numbers"
    assert paths["/v1/things/batch/paint"]["post"]["x-action"] == "edit"


@pytest.mark.parametrize("role", ROLES)
async def test_me_is_the_caller_and_what_its_role_may_do(world: Any, role: str) -> None:
    """`GET /v1/me` answers with `sub`, `account`, `role` and `permissions`, for every role."""
    answer = await world.client.get("/v1/me", headers=world.bearer(role=role))
    assert answer.json() == {
        "sub": "ann",
        "account": "master/acme",
        "role": role,
        "permissions": [action for action in ACTIONS if role in ROLES_OF[action]],
    }


async def test_the_actor_of_a_change_is_the_caller(world: Any) -> None:
    """The form is the same everywhere: `user:<subject>`."""
    await world.client.post("/v1/things", json={"colour": "red"}, headers=KEY)
    assert world.stage.actors == ["user:ann"]
    assert Caller(subject="ann", account="master", role="user").actor == "user:ann"


def test_a_route_without_a_known_action_is_a_mistake() -> None:
    """A route is declared with an action of the table, or the service does not start."""
    with pytest.raises(TypeError):
        Router().get("/things")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="'see_things' is not an action"):
        Router().get("/things", action="see_things")  # type: ignore[arg-type]


def test_a_service_with_a_route_without_an_action_does_not_start() -> None:
    """A router of FastAPI would open its routes to every role."""
    router = APIRouter()
    router.get("/v1/open")(lambda: None)
    with pytest.raises(TypeError, match="needs an action"):
        openapi_json(replace(SERVICE, routers=lambda: [router]))


def test_a_batch_route_whose_body_lacks_the_list_is_a_mistake() -> None:
    """The list field follows from the item: `thing` needs `things`."""

    async def paint(http: Http, body: NoList) -> BatchAnswer:
        raise NotImplementedError

    with pytest.raises(TypeError, match="'things'"):
        Router().batch("/things/batch/paint", action="edit", item="thing")(paint)
