"""One port for four services: which service answers which path."""

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
