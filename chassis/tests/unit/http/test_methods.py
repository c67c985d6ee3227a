"""HEAD, OPTIONS and the header `Allow` of each path."""

from typing import Any

import pytest
from starlette.routing import Route

from didflow_chassis.http.methods import allowed

ALLOWED = {
    "/v1/things": "GET, HEAD, POST, OPTIONS",
    "/v1/things/7": "PATCH, DELETE, OPTIONS",
    "/v1/me": "GET, HEAD, OPTIONS",
    "/openapi/things.json": "GET, HEAD, OPTIONS",
}


@pytest.mark.parametrize("path", ALLOWED)
@pytest.mark.parametrize("method", ["PUT", "TRACE", "BREW"])
async def test_a_method_that_is_not_allowed_shows_all_that_are(world: Any, path: str, method: str) -> None:
    """Several routes can have one path. `Allow` lists the methods of all of them."""
    answer = await world.client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == ALLOWED[path]


@pytest.mark.parametrize("path", ALLOWED)
async def test_options_lists_the_methods(world: Any, path: str) -> None:
    """204 without a body. Nothing is decided."""
    answer = await world.client.options(path)
    assert (answer.status_code, answer.content, answer.headers["allow"]) == (204, b"", ALLOWED[path])
    assert world.stage.calls == []


@pytest.mark.parametrize("path", ["/v1/things", "/v1/me", "/openapi/things.json"])
async def test_head_is_get_without_a_body(world: Any, path: str) -> None:
    """Status and headers are those of GET."""
    get, head = await world.client.get(path), await world.client.head(path)
    assert (head.status_code, head.content) == (get.status_code, b"") == (200, b"")
    for name in ("content-length", "content-type"):
        assert head.headers[name] == get.headers[name]


async def test_head_of_a_path_without_get_is_405(world: Any) -> None:
    """There is no GET whose head it could be."""
    answer = await world.client.head("/v1/things/7")
    assert (answer.status_code, answer.headers["allow"]) == (405, "PATCH, DELETE, OPTIONS")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "GET"])
async def test_an_unknown_path_is_404_whatever_the_method(world: Any, method: str) -> None:
    """It has no methods."""
    answer = await world.client.request(method, "/v1/nowhere")
    assert (answer.status_code, "allow" in answer.headers) == (404, False)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_a_token_is_needed_for_each_method(world: Any, method: str) -> None:
    """Only the OpenAPI document is public."""
    world.client.headers.pop("Authorization")
    assert (await world.client.request(method, "/v1/things")).status_code == 401
    assert (await world.client.request(method, "/openapi/things.json")).status_code < 300


async def test_the_role_is_checked_for_head_as_for_get(world: Any) -> None:
    """A role that may not read does not learn the status of a read."""
    get = await world.client.get("/v1/things/jobs", headers=world.bearer(role="user"))
    head = await world.client.head("/v1/things/jobs", headers=world.bearer(role="user"))
    assert head.status_code == get.status_code


def test_a_path_has_the_methods_of_its_own_pattern_and_not_of_one_with_a_parameter() -> None:
    """`/things/summary` can be read. That a thing can be changed says nothing about it."""
    routes = [
        Route("/things/summary", lambda _: None, methods=["GET"]),
        Route("/things/{thing}", lambda _: None, methods=["GET"]),
        Route("/things/{thing}", lambda _: None, methods=["PATCH"]),
    ]

    def found(path: str) -> str:
        return allowed(routes, {"type": "http", "method": "OPTIONS", "path": path, "root_path": ""})

    assert found("/things/summary") == "GET, HEAD, OPTIONS"
    assert found("/things/7") == "GET, HEAD, PATCH, OPTIONS"
    assert found("/nothing") == ""
