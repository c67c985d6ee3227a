"""The documents of every service that others use: AsyncAPI, checked by its official schema, and OpenAPI."""

import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from didflow.services import service
from didflow_chassis import asyncapi
from didflow_chassis.http import openapi_json
from didflow_contracts.topics import CARRIER_ADAPTERS, INVOICING, ORDER_SYSTEMS, PORTALS, SERVICES

SPECS = "@asyncapi/specs@6.11.1"
"""Where the AsyncAPI project publishes its JSON Schemas; PyPI has no package with that of 3.0."""

CACHE = Path(__file__).parent.parent / ".cache" / SPECS.replace("/", "-")


@pytest.fixture(scope="session")
def official() -> Draft7Validator:
    """Return the official JSON Schema of AsyncAPI 3.0.0. npm downloads it once; then it is kept below .cache."""
    kept = CACHE / "asyncapi-3.0.0.json"
    if not kept.exists():
        _fetch(kept)
    return Draft7Validator(json.loads(kept.read_text()))


def _fetch(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        _without("npm is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--silent", "--pack-destination", str(CACHE), SPECS]
    packed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if packed.returncode:
        _without(f"npm could not fetch {SPECS}")
    archive = CACHE / packed.stdout.strip().splitlines()[-1]
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as files:
        schema = files.extractfile("package/schemas/3.0.0.json").read()
    written = kept.with_suffix(f".{os.getpid()}")
    written.write_bytes(schema)
    written.replace(kept)


def _without(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"the AsyncAPI schema is needed under CI: {reason}")
    pytest.skip(f"no AsyncAPI schema: {reason}")


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_asyncapi_document_is_valid(official, name):
    """The schema of the AsyncAPI project accepts the document of each service."""
    document = asyncapi.of_service(service(name))

    assert [error.message for error in official.iter_errors(document)] == []


@pytest.mark.parametrize("party", [ORDER_SYSTEMS, CARRIER_ADAPTERS, PORTALS, INVOICING])
def test_an_outside_partys_asyncapi_document_is_valid(official, party):
    """The schema also accepts the documents for outside parties."""
    assert [error.message for error in official.iter_errors(asyncapi.of_party(party))] == []


def test_the_official_schema_finds_a_mistake(official):
    """An operation that neither sends nor receives is an error, so the check above can fail."""
    document = asyncapi.of_party(ORDER_SYSTEMS)
    document["operations"]["sendDidPurchased"]["action"] = "shout"

    assert list(official.iter_errors(document))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_prints_its_openapi_document_without_running(name):
    """The document has paths although no database and no broker is reachable."""
    document = json.loads(openapi_json(service(name)))

    assert document["openapi"].startswith("3.")
    assert document["paths"]
