"""The released schemas are today's, and agree with the models about what is valid."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from didflow_contracts import schemas
from didflow_contracts.topics import TOPICS

RUN = "run `python -m didflow_contracts.schemas release` and commit contracts/schemas"


def errors(event: dict[str, Any]) -> list[str]:
    topic = event["type"].removeprefix("didflow.").removesuffix(".v1")
    return [error.message for error in Draft202012Validator(schemas.released()[topic]).iter_errors(event)]


def test_todays_schemas_break_nothing_released() -> None:
    """Within version 1 nothing is renamed, retyped, removed or made required."""
    assert [str(change) for change in schemas.breaks()] == []


def test_todays_schemas_are_released() -> None:
    """What lies in the folder is what the models say."""
    lying = {path.stem: path.read_bytes() for path in schemas.RELEASED.glob("*.json")}
    assert lying == {topic: schemas.as_text(schema) for topic, schema in schemas.current().items()}, RUN


@pytest.mark.parametrize("topic", TOPICS)
def test_a_released_schema_is_a_json_schema(topic: str) -> None:
    """Valid under 2020-12, and named after its type."""
    schema = schemas.released()[topic]
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == f"didflow.{topic}.v1"


@pytest.mark.parametrize("missing", ["order_id", "end_user_type", "price", "billing_period"])
def test_the_schema_knows_what_a_purchase_needs(purchase: dict[str, Any], missing: str) -> None:
    """Order systems in other languages find the conditions in the schema, too."""
    assert errors(purchase) == []
    del purchase["data"][missing]
    assert errors(purchase)
    assert errors(purchase | {"data": purchase["data"] | {missing: None}})
    if missing != "billing_period":
        assert errors(purchase | {"data": purchase["data"] | {"acquired": "package"}}) == []


def test_the_schema_asks_for_an_actions_parameters() -> None:
    """An activation without features is invalid by the schema as well."""
    path = Path(__file__).parents[3] / "examples" / "events" / "provisioning.commands.json"
    command = orjson.loads(path.read_bytes())
    assert errors(command) == []
    del command["data"]["parameters"]["features"]
    assert errors(command)


def test_release_writes_and_check_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fresh release compares clean."""
    assert schemas.main(["release", str(tmp_path)]) == 0
    assert schemas.main(["check", str(tmp_path)]) == 0
    assert schemas.released(tmp_path) == schemas.current()
    assert "25 schemas" in capsys.readouterr().out


def test_a_breaking_release_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Released fields that today's models lack stop the release, and the folder stays as it was."""
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
    """Nothing is written when it is not clear what is wanted."""
    assert schemas.main([]) == schemas.main(["publish"]) == 2
    assert "usage" in capsys.readouterr().err
