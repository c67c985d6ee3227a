"""The allowed imports between packages, checked on the import graph."""

import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
SERVICES = ("didflow_inventory", "didflow_verification", "didflow_billing", "didflow_provisioning")
PACKAGES = (
    "didflow",
    "didflow_adapters",
    "didflow_chassis",
    "didflow_contracts",
    "didflow_webhooks",
    *SERVICES,
)

PURE = frozenset({"msgspec", "phonenumbers", "stdnum"})
"""Libraries that compute and open nothing."""

MAY_IMPORT = {
    f"{service}.domain": {"didflow_contracts", "didflow_chassis.decision", *PURE} for service in SERVICES
} | {
    "didflow_contracts": {
        "iso4217",
        "msgspec",
        "orjson",
        "phonenumbers",
        "pydantic",
        "pydantic_core",
        "uuid_utils",
    },
    "didflow_webhooks": {"httpcore", "httpx", "standardwebhooks"},
    "didflow_adapters": {
        "didflow_contracts",
        "didflow_webhooks",
        "aiokafka",
        "cryptography",
        "didww",
        "faststream",
        "httpx",
        "jinja2",
        "jsonpointer",
        "msgspec",
        "prometheus_client",
        "pydantic",
        "pydantic_settings",
        "requests",
        "starlette",
        "structlog",
        "typer",
        "uvicorn",
        "yaml",
    },
}
"""Package -> what its modules may import besides the standard library and each other."""

TELECOM = re.compile(
    r"\b(phone|telephon\w*|carriers?|sms|trunks?|e\.?164|porting|pstn|sip|voice|fax)\b", re.IGNORECASE
)


@cache
def import_graph() -> grimp.ImportGraph:
    """Read the imports of all packages once."""
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def is_in(module: str, packages: Iterable[str]) -> bool:
    """Return True if a module is one of these packages or inside one of them."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def forbidden_imports(graph: grimp.ImportGraph, package: str, allowed: Iterable[str]) -> set[str]:
    """Return the imports that lead from a package to modules that it may not import."""
    may = {package, *allowed, *sys.stdlib_module_names}
    inside = (module for module in graph.modules if is_in(module, {package}))
    return {
        f"{module} imports {imported}"
        for module in inside
        for imported in graph.find_modules_directly_imported_by(module)
        if not is_in(imported, may)
    }


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_its_list_allows(package):
    """Domains, contracts and adapters import the standard library, each other and what the list names."""
    assert package in import_graph().modules
    assert forbidden_imports(import_graph(), package, MAY_IMPORT[package]) == set()


@pytest.mark.parametrize(
    "imported", ["sqlalchemy", "didflow_chassis.stage", "didflow_billing.store", "didflow_inventory.domain"]
)
def test_a_forbidden_import_in_a_domain_is_found(imported):
    """A database, the stage, its own service's store and another service's domain are forbidden in a domain."""
    graph = grimp.ImportGraph()
    for module in ("didflow_billing.domain.term", imported):
        graph.add_module(module)
    graph.add_import(importer="didflow_billing.domain.term", imported=imported)

    found = forbidden_imports(graph, "didflow_billing.domain", MAY_IMPORT["didflow_billing.domain"])

    assert found == {f"didflow_billing.domain.term imports {imported}"}


def test_no_service_imports_another():
    """Services share events only: no chain of imports leads from one service to another."""
    chains = {
        (one, other): import_graph().find_shortest_chain(importer=one, imported=other, as_packages=True)
        for one in SERVICES
        for other in SERVICES
        if one != other
    }

    assert {pair: chain for pair, chain in chains.items() if chain} == {}


def test_the_chassis_contains_no_telecom_word():
    """The chassis would serve any business."""
    files = (ROOT / "chassis" / "didflow_chassis").rglob("*.py")
    found = {file.name: TELECOM.findall(file.read_text()) for file in files}

    assert {name: words for name, words in found.items() if words} == {}


def test_only_the_stage_opens_transactions():
    """The module `database` of the chassis defines how. All other modules call the stage."""
    files = (file for package in PACKAGES for file in _sources(package))
    found = {str(file.relative_to(ROOT)) for file in files if ".transaction(" in file.read_text()}
    stage = "chassis/didflow_chassis/stage/"
    assert {name for name in found if not name.startswith(stage)} == {"chassis/didflow_chassis/database.py"}
    assert {name for name in found if name.startswith(stage)}


def _sources(package: str) -> Iterable[Path]:
    folder = next(path for path in (*ROOT.glob(f"*/{package}"), *ROOT.glob(f"services/*/{package}")))
    return folder.rglob("*.py")


PRINTERS = {
    "adapters/didflow_adapters/kit/logs.py",  # one line of JSON for each record
    "stack/didflow/console.py",
    "chassis/didflow_chassis/jobs/tool.py",  # a progress bar with texts of its own
    "services/verification/didflow_verification/documents/recognition.py",  # a pipe to its parent
}
"""The modules that print by themselves. All others use `didflow_contracts.terminal` or `didflow.console`."""

PRINTS = re.compile(
    r"(typer|click)\.(s?echo|style)\(|\bprint\(|sys\.(__)?std(out|err)(__)?\.(buffer|write)|os\.write\([12]\b|Console\("
    r"|PrintLogger|WriteLogger|ConsoleRenderer|pretty_exceptions_enable=True"
)


def test_only_the_modules_that_escape_control_characters_print():
    """A name, a subject or a record with ESC in it cannot control the terminal of an operator."""
    files = (file for package in PACKAGES for file in _sources(package))
    found = {str(file.relative_to(ROOT)) for file in files if PRINTS.search(file.read_text())}
    assert found == PRINTERS
