"""Every route of every service has an action, and a role that may not do it is refused before anything else."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from didflow.services import service
from didflow_chassis.http import Runtime, create_application, routers_of
from didflow_chassis.http.routes import Route
from didflow_chassis.testing.postgres import NamedTokens
from didflow_contracts.roles import ACTIONS, ROLES, may
from didflow_contracts.topics import SERVICES

ID = "01932f6e-5c4b-7a10-8c3e-2f6d1b7a9e10"


class Touched(AssertionError):
    """A request reached the database or the stage."""


class Untouchable:
    """Stands for the database and the stage. Whoever uses it fails the test."""

    async def fetch(self, *_: Any, **__: Any) -> Any:
        """Fail: a stored answer or a row is looked up."""
        raise Touched

    async def command(self, *_: Any, **__: Any) -> Any:
        """Fail: a command is decided."""
        raise Touched

    async def operate(self, *_: Any, **__: Any) -> Any:
        """Fail: an operation is run."""
        raise Touched


def routes() -> Iterator[tuple[str, Any]]:
    """Yield each route of each service, with the name of its service."""
    for name in SERVICES:
        for router in routers_of(service(name)):
            for route in router.routes:
                yield name, route


ROUTES = [
    pytest.param(name, route, id=f"{name} {min(route.methods)} {route.path}") for name, route in routes()
]


@pytest.fixture(scope="module")
def clients() -> dict[str, httpx.AsyncClient]:
    """Return a client for each service. Neither its database nor its stage may be used."""
    found = {}
    for name in SERVICES:
        built, nothing = service(name), Untouchable()
        runtime = Runtime(
            service=built, database=nothing, reads=nothing, stage=nothing, authenticator=NamedTokens()
        )
        transport = httpx.ASGITransport(create_application(built, runtime, rate=None))
        found[name] = httpx.AsyncClient(transport=transport, base_url="http://api")
    return found


@pytest.mark.parametrize(("name", "route"), ROUTES)
def test_every_route_has_an_action_of_the_table(name, route):
    """A route without an action would be open to every role. A route of jobs has one for each kind."""
    assert isinstance(route, Route), f"{route.path} is not declared by didflow_chassis.http.Router"
    assert route.actions
    assert set(route.actions) <= set(ACTIONS)


@pytest.mark.parametrize(("name", "route"), ROUTES)
async def test_a_role_that_may_not_is_refused_before_anything_is_looked_up(clients, name, route):
    """403 `role_not_allowed`. A role that may gets past it.

    `tenancy/test_role_gate.py` sends more kinds of requests, to real databases.
    """
    path = re.sub(r"\{[^}]+\}", ID, route.path)
    for method in route.methods:
        for role in ROLES:
            answer = await clients[name].request(
                method,
                path,
                content=b"{}",
                headers={
                    "Authorization": f"Bearer ann:master/acme:{role}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": "k-1",
                },
            )
            refused = answer.status_code == 403 and answer.json()["code"] == "role_not_allowed"
            assert refused is not any(may(role, one) for one in route.actions), (role, answer.text)


def test_a_user_sees_nothing_but_numbers_and_requirements():
    """The reads of accounts, billing and provisioning are closed to the role `user`."""
    open_to_users = {one for _, route in routes() for one in route.actions if may("user", one)}
    assert open_to_users <= {"see_numbers", "edit_description", "read_requirements"}
