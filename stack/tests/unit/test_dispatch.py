"""One port, four services: who answers which path."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from didflow.issuer import JWKS_PATH
from didflow.web import Dispatcher

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
    """Each application's own routes say which paths are its."""
    assert (await http.get(path)).json()["from"] == owner


async def test_a_method_that_a_path_lacks_is_the_owners_answer(http: httpx.AsyncClient) -> None:
    """405 comes from the service, not a 404 of the dispatcher's."""
    assert (await http.put("/v1/ledger")).status_code == 405


async def test_a_path_of_nobody_is_a_problem(http: httpx.AsyncClient) -> None:
    """404 with a stable code, as every error."""
    answer = await http.get("/v1/elsewhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_each_service_publishes_its_document(http: httpx.AsyncClient) -> None:
    """The OpenAPI documents stand side by side."""
    assert "/v1/ledger" in (await http.get("/openapi/money.json")).json()["paths"]


async def test_the_issuers_keys_are_there_for_all(http: httpx.AsyncClient) -> None:
    """Services fetch the keys of development tokens from the same port."""
    assert (await http.get(JWKS_PATH)).json() == KEYS
    assert (await http.post(JWKS_PATH)).status_code == 404
