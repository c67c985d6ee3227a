"""An error of several fields names the first of them, and every message is a sentence."""

from typing import Any

import pytest
from pydantic import ValidationError

from didflow_contracts.events import DidPurchased
from didflow_contracts.validation_errors import field_of, message_of


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"order_id": None, "end_user_type": None}, ("order_id",), "missing"),
        ({"end_user_type": None}, ("end_user_type",), "missing"),
        ({"billing_period": None}, ("billing_period",), "missing"),
        (
            {
                "price": {
                    "setup": {"amount": "1", "currency": "EUR"},
                    "recurring": {"amount": "1", "currency": "USD"},
                }
            },
            ("price", "setup"),
            "value_invalid",
        ),
        (
            {
                "price": {
                    "setup": {"amount": "1", "currency": "EUR"},
                    "recurring": {"amount": "-1", "currency": "EUR"},
                }
            },
            ("price", "recurring"),
            "value_invalid",
        ),
    ],
)
def test_an_error_of_several_fields_names_the_first(purchase: dict[str, Any], changes, path, code):
    """The error is at the object; the field that it names completes the path."""
    with pytest.raises(ValidationError) as caught:
        DidPurchased.model_validate({**purchase["data"], **changes})
    (error,) = caught.value.errors()
    assert (*error["loc"], field_of(error)) == path
    assert error["type"] == code
    assert message_of(error).endswith(".")


def test_a_pattern_never_appears_in_a_message(purchase: dict[str, Any]):
    """The message of a number, an account and a country says how to write it."""
    wrong = {"number": "35312345678", "account": "Master", "country": "ie"}
    with pytest.raises(ValidationError) as caught:
        DidPurchased.model_validate({**purchase["data"], **wrong})
    messages = {error["loc"][0]: message_of(error) for error in caught.value.errors()}
    assert messages.keys() == wrong.keys()
    assert not any("[" in message or "^" in message for message in messages.values())
    assert "+3532212345" in messages["number"]
