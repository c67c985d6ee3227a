"""The released schemas are the current ones and agree with the models."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from didflow_contracts import schemas

RUN = "run `python -m didflow_contracts.schemas release` and commit contracts/schemas"


def errors(event: dict[str, Any]) -> list[str]:
    topic = event["type"].removeprefix("didflow.").removesuffix(".v1")
    return [error.message for error in Draft202012Validator(schemas.released()[topic]).iter_errors(event)]


def test_the_current_schemas_break_no_released_schema() -> None:
    """Within version 1 nothing is renamed, retyped, removed or made required."""
    assert [str(change) for change in schemas.breaks()] == []


def test_the_current_schemas_are_released() -> None:
    """The files in the folder equal the schemas of the models."""
    lying = {path.stem: path.read_bytes() for path in schemas.RELEASED.glob("*.json")}
    assert lying == {topic: schemas.as_text(schema) for topic, schema in schemas.current().items()}, RUN


@pytest.mark.parametrize("topic", schemas.current())
def test_a_released_schema_is_a_json_schema(topic: str) -> None:
    """It is valid under draft 2020-12, and its title is the type of the event."""
    schema = schemas.released()[topic]
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == f"didflow.{topic}.v1"


@pytest.mark.parametrize("missing", ["order_id", "end_user_type", "billing_period"])
def test_the_schema_has_the_conditions_of_a_purchase(purchase: dict[str, Any], missing: str) -> None:
    """Order systems in other languages use the schema only."""
    assert errors(purchase) == []
    del purchase["data"][missing]
    assert errors(purchase)
    assert errors(purchase | {"data": purchase["data"] | {missing: None}})
    handed_out = errors(purchase | {"data": purchase["data"] | {"acquired": "package"}})
    assert bool(handed_out) == (missing == "billing_period"), "a price needs a billing period"


def test_the_schema_lets_a_purchase_leave_the_price_to_the_price_list(purchase: dict[str, Any]) -> None:
    """The price may be absent or null."""
    assert errors(purchase | {"data": purchase["data"] | {"price": None}}) == []
    del purchase["data"]["price"]
    assert errors(purchase) == []


def test_the_schema_has_the_required_parameters_of_each_action() -> None:
    """An activation without features is invalid by the schema."""
    path = Path(__file__).parents[3] / "examples" / "events" / "provisioning.commands.json"
    command = orjson.loads(path.read_bytes())
    assert errors(command) == []
    del command["data"]["parameters"]["features"]
    assert errors(command)


def test_a_new_release_passes_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check compares the files just written."""
    assert schemas.main(["release", str(tmp_path)]) == 0
    assert schemas.main(["check", str(tmp_path)]) == 0
    assert schemas.released(tmp_path) == schemas.current()
    assert f"{len(schemas.current())} schemas" in capsys.readouterr().out


def test_a_breaking_release_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If the models lack a released field, nothing is written."""
    schemas.release(tmp_path)
    path = tmp_path / "did.removed.json"
    schema = orjson.loads(path.read_bytes())
    schema["$defs"]["DidRemoved"]["properties"]["once"] = {"type": "string"}
    path.write_bytes(schemas.as_text(schema))
    before = path.read_bytes()
    assert schemas.main(["release", str(tmp_path)]) == 1
    assert path.read_bytes() == before
    assert "did.removed.data.once: removed" in capsys.readouterr().err


def test_wrong_arguments_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written."""
    assert schemas.main([]) == schemas.main(["publish"]) == 2
    assert "usage" in capsys.readouterr().err
