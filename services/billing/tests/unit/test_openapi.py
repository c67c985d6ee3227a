"""The OpenAPI text of the routes says what happens to calls and money, with examples that are valid."""

import csv
import io
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from didflow_billing.api import bodies
from didflow_billing.api.price_responses import NewPriceResponse, PriceQuoteResponse, PriceResponse
from didflow_billing.api.quotes import QuoteResponse
from didflow_billing.api.responses import ENTRY_COLUMNS, EntryResponse, TermResponse
from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_chassis.http import openapi_json
from didflow_chassis.http.batch import results_model
from didflow_contracts.money import Total

PATHS = json.loads(openapi_json(service(BillingSettings.placeholder())))["paths"]
BATCH = results_model("did")
JSON = "application/json"
CSV = "text/csv; charset=utf-8"
LINES = "application/jsonl"


class Balance(BaseModel):
    """An item of balances. What it is of depends on `by`."""

    model_config = ConfigDict(extra="forbid")

    account: str
    order_id: str | None = None
    did_id: UUID | None = None
    currency: str
    charged: Total
    refunded: Total
    balance: Total


MODELS: dict[str, tuple[Any, Any]] = {
    "GET /v1/terms/{did}": (None, TermResponse),
    "POST /v1/terms/batch/set-cycles": (bodies.SetCyclesBody, BATCH),
    "POST /v1/terms/batch/renew": (bodies.RenewBody, BATCH),
    "POST /v1/terms/batch/cancel": (bodies.CancelBody, BATCH),
    "POST /v1/terms/batch/restore": (bodies.RestoreBody, BATCH),
    "POST /v1/terms/quote": (bodies.QuoteBody, QuoteResponse),
    "GET /v1/ledger": (None, EntryResponse),
    "GET /v1/balances": (None, Balance),
    "POST /v1/prices": (bodies.PriceBody, NewPriceResponse),
    "GET /v1/prices": (None, PriceResponse),
    "POST /v1/prices/quote": (bodies.PriceQuoteBody, PriceQuoteResponse),
}
"""Route -> the models of its body, and of its answer or of one item of its list."""

FILES = {"GET /v1/ledger.csv": CSV, "GET /v1/invoices.csv": CSV, "GET /v1/invoices.jsonl": LINES}
"""Route -> the media type of the file of ledger entries that it answers with."""


def operation(route: str) -> dict[str, Any]:
    """Return the operation of a route."""
    method, _, path = route.partition(" ")
    return dict(PATHS[path][method.lower()])


def examples(part: dict[str, Any], media_type: str = JSON) -> dict[str, Any]:
    """Return the examples of a body or an answer, by name."""
    return {name: example["value"] for name, example in part["content"][media_type]["examples"].items()}


@pytest.mark.parametrize("route", MODELS)
def test_the_examples_are_valid_and_complete(route: str) -> None:
    """Each example of a body is accepted, and each answer or item has exactly the fields of its model."""
    body, answer = MODELS[route]
    for example in examples(operation(route)["requestBody"]).values() if body else ():
        assert TypeAdapter(body).validate_python(example)
    shown = [example for each in answers(route) for example in examples(each).values()]
    assert shown
    for example in shown:
        for item in example.get("items", [example]):
            assert (
                answer.model_validate(item).model_dump(mode="json", exclude_unset=answer is Balance) == item
            )


def answers(route: str) -> list[dict[str, Any]]:
    """Return the successful answers of a route."""
    return [answer for status, answer in operation(route)["responses"].items() if status.startswith("2")]


@pytest.mark.parametrize("route", FILES)
def test_the_examples_of_files_have_the_columns_of_entries(route: str) -> None:
    """Each line is an entry of the ledger."""
    (text,) = examples(operation(route)["responses"]["200"], FILES[route]).values()
    if FILES[route] == CSV:
        rows = list(csv.DictReader(io.StringIO(text)))
        assert {tuple(row) for row in rows} == {ENTRY_COLUMNS}
    else:
        rows = [EntryResponse.model_validate_json(line).model_dump() for line in text.splitlines()]
    assert [row["kind"] for row in rows][:4] == ["setup", "recurring", "setup", "recurring"]


def test_every_route_has_examples_and_a_summary() -> None:
    """A new route needs them, too. Those of the chassis have none."""
    own = ("/v1/terms", "/v1/ledger", "/v1/balances", "/v1/invoices", "/v1/prices")
    routes = {f"{method.upper()} {path}" for path in PATHS if path.startswith(own) for method in PATHS[path]}
    assert routes == MODELS.keys() | FILES.keys()
    made_of_names = {route for route in routes if operation(route)["summary"].istitle()}
    assert made_of_names == set()


def test_the_balances_of_the_examples_are_the_sums_of_their_entries() -> None:
    """By account, by order and by DID."""
    (page,) = examples(operation("GET /v1/ledger")["responses"]["200"]).values()
    amounts = [Decimal(entry["money"]["amount"]) for entry in page["items"]]
    charged, refunded = sum(each for each in amounts if each > 0), -sum(each for each in amounts if each < 0)
    for balances in examples(operation("GET /v1/balances")["responses"]["200"]).values():
        sums = {
            name: sum(Decimal(item[name]["amount"]) for item in balances["items"])
            for name in ("charged", "refunded", "balance")
        }
        assert sums == {"charged": charged, "refunded": refunded, "balance": charged - refunded}


def test_the_text_of_cancel_and_of_set_cycles_says_which_one_stops_calls_now() -> None:
    """Each names the other."""
    cancel, set_cycles = (operation(f"POST /v1/terms/batch/{name}") for name in ("cancel", "set-cycles"))
    assert cancel["summary"] == "Cancel terms: calls stop now"
    assert "Calls and messages stop at once, although paid time remains" in cancel["description"]
    assert "set the cycles to `0`" in cancel["description"]
    assert "`cancel` stops calls at once" in set_cycles["description"]
    answer = examples(operation("POST /v1/terms/quote")["responses"]["200"])["cancel"]["results"][0]
    assert answer["calls"] == "stop_now"
    assert answer["instead"]["calls_stop_at"] == answer["before"]["expires_at"]
