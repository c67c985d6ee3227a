"""The OpenAPI text of the routes of terms says what happens to calls and money, with examples that are valid."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from didflow_billing.api import bodies
from didflow_billing.api.quotes import QuoteResponse
from didflow_billing.api.responses import TermResponse
from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_chassis.http import openapi_json
from didflow_chassis.http.batch import results_model

PATHS = json.loads(openapi_json(service(BillingSettings.placeholder())))["paths"]
BATCH = results_model("did")
MODELS: dict[str, tuple[Any, Any]] = {
    "/v1/terms/{did}": (None, TermResponse),
    "/v1/terms/batch/set-cycles": (bodies.SetCyclesBody, BATCH),
    "/v1/terms/batch/renew": (bodies.RenewBody, BATCH),
    "/v1/terms/batch/cancel": (bodies.CancelBody, BATCH),
    "/v1/terms/batch/restore": (bodies.RestoreBody, BATCH),
    "/v1/terms/quote": (bodies.QuoteBody, QuoteResponse),
}
"""Path -> the models of its body and its answer."""


def operation(path: str) -> dict[str, Any]:
    """Return the only operation of a path."""
    (found,) = PATHS[path].values()
    return dict(found)


def examples(part: dict[str, Any]) -> dict[str, Any]:
    """Return the examples of a body or an answer, by name."""
    return {
        name: example["value"] for name, example in part["content"]["application/json"]["examples"].items()
    }


@pytest.mark.parametrize("path", MODELS)
def test_the_examples_are_valid_and_complete(path: str) -> None:
    """Each example of a body is accepted, and each answer has exactly the fields of its model."""
    body, answer = MODELS[path]
    for example in examples(operation(path)["requestBody"]).values() if body else ():
        assert TypeAdapter(body).validate_python(example)
    shown = examples(operation(path)["responses"]["200"])
    assert shown
    for example in shown.values():
        assert answer.model_validate(example).model_dump(mode="json") == example


def test_every_route_of_terms_has_examples() -> None:
    """A new route needs them, too."""
    assert {path for path in PATHS if path.startswith("/v1/terms/")} == set(MODELS)


def test_the_text_of_cancel_and_of_set_cycles_says_which_one_stops_calls_now() -> None:
    """Each names the other."""
    cancel, set_cycles = (operation(f"/v1/terms/batch/{name}") for name in ("cancel", "set-cycles"))
    assert cancel["summary"] == "Cancel terms: calls stop now"
    assert "Calls and messages stop at once, although paid time remains" in cancel["description"]
    assert "set the cycles to `0`" in cancel["description"]
    assert "`cancel` stops calls at once" in set_cycles["description"]
    answer = examples(operation("/v1/terms/quote")["responses"]["200"])["cancel"]["results"][0]
    assert answer["calls"] == "stop_now"
    assert answer["instead"]["calls_stop_at"] == answer["before"]["expires_at"]
