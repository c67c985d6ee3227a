"""One port for four services: which service answers which path."""

import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from didflow import web
from didflow.issuer import JWKS_PATH
from didflow.services import SERVICES, service
from didflow.web import Dispatcher, prefix_of
from didflow_chassis.http import routers_of

KEYS = {"keys": [{"kid": "1"}]}


def application(name: str, *paths: str) -> FastAPI:
    router = APIRouter(prefix="/v1")
    for path in paths:

        @router.get(path)
        async def answer(thing: str = "") -> dict[str, str]:
            return {"from": name, "thing": thing}

    app = FastAPI(openapi_url=f"/openapi/{name}.json", docs_url=None, redoc_url=None)
    app.include_router(router)
    return app


@pytest.fixture
async def http() -> Any:
    numbers = application("numbers", "/dids", "/dids/{thing}")
    money = application("money", "/ledger", "/terms/{thing}")
    dispatcher = Dispatcher([(numbers, numbers.routes), (money, money.routes)], KEYS)
    transport = httpx.ASGITransport(app=dispatcher)
    async with httpx.AsyncClient(transport=transport, base_url="http://stack") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "owner"), [("/v1/dids", "numbers"), ("/v1/dids/+353", "numbers"), ("/v1/terms/x", "money")]
)
async def test_a_path_goes_to_the_service_that_owns_it(
    http: httpx.AsyncClient, path: str, owner: str
) -> None:
    """The routes of each application decide."""
    assert (await http.get(path)).json()["from"] == owner


async def test_the_service_answers_a_method_that_its_path_lacks(http: httpx.AsyncClient) -> None:
    """The service answers 405. The dispatcher does not answer 404."""
    assert (await http.put("/v1/ledger")).status_code == 405


async def test_a_path_without_a_service_is_a_problem(http: httpx.AsyncClient) -> None:
    """The answer is 404 with a stable code, like every error."""
    answer = await http.get("/v1/elsewhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_each_service_publishes_its_document(http: httpx.AsyncClient) -> None:
    """Each OpenAPI document has its own path."""
    assert "/v1/ledger" in (await http.get("/openapi/money.json")).json()["paths"]


async def test_the_issuers_keys_are_on_the_same_port(http: httpx.AsyncClient) -> None:
    """Services fetch the keys of development tokens from there."""
    assert (await http.get(JWKS_PATH)).json() == KEYS
    assert (await http.post(JWKS_PATH)).status_code == 404


@pytest.fixture
def all_services() -> Dispatcher:
    """The routes of the four services, as a stack dispatches them."""
    return Dispatcher([(name, (*_routes(name), prefix_of(name))) for name in SERVICES], KEYS)  # type: ignore[list-item]


def _routes(name: str) -> Iterator[BaseRoute]:
    for router in routers_of(service(name)):
        yield from router.routes


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(
    "path", ["dead-letters", "dead-letters/x/retry", "parked", "jobs", "jobs/x/results.csv"]
)
def test_what_all_services_have_is_told_apart_by_the_name_of_the_service(
    all_services: Dispatcher, name: str, path: str
) -> None:
    """`/v1/<service>/...` goes to that service, also a path that it does not have."""
    scope = {"type": "http", "path": f"/v1/{name}/{path}", "method": "GET", "root_path": ""}
    assert all_services.owner(scope) == name


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_of_a_service_goes_to_it(all_services: Dispatcher, name: str) -> None:
    """No path of one service is a path of another one."""
    for route in _routes(name):
        scope = {
            "type": "http",
            "path": re.sub(r"\{[^}]+\}", "x", route.path),
            "method": "GET",
            "root_path": "",
        }
        assert all_services.owner(scope) == name, route.path


def test_the_port_of_the_stack_has_tcp_nodelay() -> None:
    """The APIs and the keys of the development issuer are on this port. Without it, each answer would take 44 ms."""
    with web.listen(0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
