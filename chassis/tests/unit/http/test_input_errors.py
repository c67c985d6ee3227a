"""Errors of the input are sentences that name a field. Unknown names are reported first and alone."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from didflow_chassis.http import ErrorMessage, Problem, check_fields, invalid_input
from didflow_contracts.accounts import AccountPath
from didflow_contracts.validation_errors import wrong_field

KEY = {"Idempotency-Key": "k"}
Colour = Annotated[
    str, Field(pattern=r"^#[0-9a-f]{6}$"), ErrorMessage("Write the colour as # and 6 hexadecimal digits.")
]


class Paint(BaseModel):
    """A value inside a body."""

    colour: Colour
    gloss: bool = False


class Walls(BaseModel):
    """One member of a union."""

    kind: Literal["walls"]
    paint: Paint
    coats: Annotated[int, Field(ge=1, le=5)] | Literal["many"] = 1


class Doors(BaseModel):
    """The other member of a union."""

    kind: Literal["doors"]
    paints: list[Paint] = Field(min_length=1, max_length=2)


Job = Annotated[Walls | Doors, Field(discriminator="kind")]


class Order(BaseModel):
    """A body with each kind of type."""

    model_config = ConfigDict(extra="ignore")

    order_id: UUID | None = None
    account: AccountPath = "master"
    name: str = Field(default="x", min_length=2, max_length=5)
    day: date | None = None
    at: datetime | None = None
    job: Job | None = None
    colour: Literal["red", "green"] | None = None
    count: int = Field(default=1, gt=0, lt=10)
    gloss: bool = False
    tags: dict[str, str] = {}

    @model_validator(mode="after")
    def _day_or_instant(self) -> "Order":
        if self.day is not None and self.at is not None:
            raise wrong_field("day", "Send either day or at.")
        return self


def errors_of(body: Any, model: Any = Order) -> dict[str, tuple[str, str]]:
    """Return field -> code and message of what is wrong with a body."""
    try:
        check_fields(model, body)
        TypeAdapter(model).validate_json(orjson.dumps(body))
    except Problem as problem:
        return {error.field: (error.code, error.message) for error in problem.errors}
    except ValidationError as error:
        found: list[Any] = [e | {"loc": ("body", *e["loc"])} for e in error.errors()]
        problem = invalid_input(found, body)
        return {error.field: (error.code, error.message) for error in problem.errors}
    return {}


@pytest.mark.parametrize(
    ("body", "field", "code", "message"),
    [
        ({"order_id": "7"}, "order_id", "type_invalid", "Use a UUID, such as"),
        ({"account": "Master!"}, "account", "format_invalid", "such as master/acme/shop."),
        ({"name": "x"}, "name", "too_short", "Write a text of at least 2 characters."),
        ({"name": "x" * 6}, "name", "too_long", "Write a text of at most 5 characters."),
        ({"name": 7}, "name", "type_invalid", "Use a text."),
        ({"day": "tomorrow"}, "day", "type_invalid", "Use a date, such as 2026-10-01."),
        ({"at": "noon"}, "at", "type_invalid", "Use an instant with an offset"),
        ({"colour": "blue"}, "colour", "not_allowed", "Use one of these values: 'red' or 'green'."),
        ({"count": 0}, "count", "out_of_range", "Use a value greater than 0."),
        ({"count": 10}, "count", "out_of_range", "Use a value less than 10."),
        ({"count": "many"}, "count", "type_invalid", "Use a whole number."),
        ({"gloss": "perhaps"}, "gloss", "type_invalid", "Use true or false."),
        ({"tags": []}, "tags", "type_invalid", "Use an object."),
        ({"job": {}}, "job.kind", "missing", "This field is required."),
        ({"job": {"kind": "roof"}}, "job.kind", "not_allowed", "Use one of these values: 'walls', 'doors'."),
        ({"job": {"kind": "walls"}}, "job.paint", "missing", "This field is required."),
        (
            {"job": {"kind": "walls", "paint": {"colour": "red"}}},
            "job.paint.colour",
            "format_invalid",
            "Write the colour as # and 6 hexadecimal digits.",
        ),
        (
            {"job": {"kind": "walls", "paint": {"colour": "#ff0000"}, "coats": 6}},
            "job.coats",
            "out_of_range",
            "Use a value of at most 5. Or use one of these values: 'many'.",
        ),
        ({"job": {"kind": "doors", "paints": []}}, "job.paints", "too_few", "List at least 1; there are 0."),
        (
            {"job": {"kind": "doors", "paints": [{}]}},
            "job.paints.0.colour",
            "missing",
            "This field is required.",
        ),
        (
            {"job": {"kind": "walls", "paint": {"colour": "red"}, "coats": {"a": 1}}},
            "job.coats",
            "type_invalid",
            "Use a whole number.",
        ),
        (
            {"day": "2026-10-01", "at": "2026-10-01T00:00:00Z"},
            "day",
            "value_invalid",
            "Send either day or at.",
        ),
    ],
)
def test_an_error_names_the_field_and_says_what_to_do(body, field, code, message):
    """The path is that of the caller's own body, without the names of union members."""
    found = errors_of(body)
    assert found[field][0] == code
    assert message in found[field][1]
    assert found[field][1].endswith(".")


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"acount": "master"}, "acount", "The field 'acount' is unknown. Did you mean 'account'?"),
        ({"orderId": "1", "count": 0}, "orderId", "The field 'orderId' is unknown. Did you mean 'order_id'?"),
        (
            {"job": {"kind": "walls", "paint": {"color": "#ff0000"}}},
            "job.paint.color",
            "The field 'color' is unknown. Did you mean 'colour'?",
        ),
        (
            {"job": {"kind": "doors", "paints": [{}, {"shine": 1}]}},
            "job.paints.1.shine",
            "The field 'shine' is unknown. Known names: colour, gloss.",
        ),
        (
            {"job": {"kind": "doors", "coats": 1}},
            "job.coats",
            "The field 'coats' is unknown. Known names: kind, paints.",
        ),
        (
            {"job": {"size": 1}},
            "job.size",
            "The field 'size' is unknown. Known names: kind, paint, coats, paints.",
        ),
    ],
)
def test_an_unknown_field_is_reported_alone_with_the_nearest_name(body, field, message):
    """At any depth, before any other error, and also for a model that ignores what it does not know."""
    assert errors_of(body) == {field: ("unknown_field", message)}


def test_the_keys_of_a_dictionary_are_never_unknown():
    """Only the fields of models are names."""
    assert errors_of({"tags": {"anything": "goes"}}) == {}


def test_an_unknown_field_that_pydantic_finds_is_reported_alone_too():
    """A form is not checked as JSON; its errors follow the same rule."""
    found = [
        {"type": "missing", "loc": ("body", "a"), "msg": ""},
        {"type": "extra_forbidden", "loc": ("body", "b"), "msg": ""},
    ]
    problem = invalid_input(found, {"b": 1})
    assert (problem.code, [error.field for error in problem.errors]) == ("unknown_field", ["b"])


async def test_a_typing_error_in_a_filter_never_lists_everything(world: Any) -> None:
    """An unknown parameter is 422 `unknown_parameter` with the nearest known name."""
    answer = await world.client.get("/v1/things?nmae=x&limit=0")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_parameter")
    assert answer.json()["errors"] == [
        {
            "field": "nmae",
            "code": "unknown_parameter",
            "message": "The parameter 'nmae' is unknown. Did you mean 'name'?",
        }
    ]
    assert world.database.statements == []


@pytest.mark.parametrize("parameter", ["limit", "cursor", "sort"])
async def test_limit_cursor_and_sort_belong_to_lists_only(world: Any, parameter: str) -> None:
    """Every list knows them; any other route refuses them."""
    single = await world.client.get(f"/v1/strict?{parameter}=1")
    assert (single.status_code, single.json()["code"]) == (422, "unknown_parameter")
    listed = await world.client.get(f"/v1/things?{parameter}=")
    assert listed.json().get("code") != "unknown_parameter"


async def test_a_changing_route_refuses_unknown_parameters_too(world: Any) -> None:
    """No route needs code of its own for this."""
    answer = await world.client.post("/v1/things?dry_run=true", json={"colour": "red"}, headers=KEY)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "dry_run")
    assert world.stage.calls == []


async def test_an_unknown_body_field_comes_before_other_errors(world: Any) -> None:
    """Two wrong fields and one unknown name: only the name is reported."""
    answer = await world.client.post("/v1/things", json={"color": 1, "size": 99}, headers=KEY)
    assert answer.json()["code"] == "unknown_field"
    assert answer.json()["detail"] == "The field 'color' is unknown. Did you mean 'colour'?"
    assert [error["field"] for error in answer.json()["errors"]] == ["color"]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "body_malformed"),
        (b'{"colour": "a\\u0000"}', 422, "input_invalid"),
        (b"", 422, "input_invalid"),
        (b"[]", 422, "input_invalid"),
    ],
    ids=["cut", "nul", "empty", "list"],
)
async def test_an_error_of_the_whole_body_names_body(
    world: Any, content: bytes, status: int, code: str
) -> None:
    """`field` is never empty."""
    headers = KEY | {"Content-Type": "application/json"}
    answer = await world.client.post("/v1/things", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [error["field"] for error in answer.json()["errors"]] == ["body"]
    assert all(error["message"] for error in answer.json()["errors"])
