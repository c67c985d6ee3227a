"""The commands that start the example adapters in Python, Node and Go.

The packages of Node are fetched once and kept below .cache. Go keeps its modules and builds in its own caches. A
machine without Node or Go skips their tests with the reason; under CI it fails. No toolchain of Go is downloaded.

To build the example in Go without a cache takes a minute of one core. So the build begins with the test run, with the
lowest priority, if a test needs it. A plugin of pytest.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "adapters"
CACHE: Final = Path(__file__).parents[2] / ".cache" / "examples"
GO_PROGRAM: Final = CACHE / "go-adapter"
FETCH_S: Final = 300

_building: list[subprocess.Popen[str]] = []


def python_program() -> list[str]:
    """Return the command of the example in Python."""
    return [sys.executable, str(EXAMPLES / "python" / "adapter.py")]


def node_program() -> list[str]:
    """Install kafkajs for the example in Node, unless it is in the cache, and return the command."""
    node, npm = _found("node"), _found("npm")
    lock = (EXAMPLES / "node" / "package-lock.json").read_bytes()
    folder = CACHE / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    for file in (EXAMPLES / "node").glob("*.js*"):
        shutil.copy(file, folder)
    if not (folder / "node_modules" / ".package-lock.json").exists():
        _finished(_started([npm, "ci", "--silent", "--no-audit", "--no-fund"], folder))
    return [node, str(folder / "adapter.js")]


def go_program() -> list[str]:
    """Build the example in Go, and return the command."""
    if not _building:
        _building.append(_started(_go_build(), EXAMPLES / "go"))
    _finished(_building[0])
    return [str(GO_PROGRAM)]


PROGRAMS: Final[dict[str, Callable[[], list[str]]]] = {
    "python": python_program,
    "node": node_program,
    "go": go_program,
}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin to build the example in Go if a test has the marker `builds_go`."""
    has_test = any(item.get_closest_marker("builds_go") for item in session.items)
    if has_test and shutil.which("go") and not session.config.option.collectonly:
        _building.append(_started(["nice", "-n", "19", *_go_build()], EXAMPLES / "go"))


def pytest_unconfigure() -> None:
    """End a build that no test waited for."""
    for build in _building:
        build.kill()
        build.communicate()


def _go_build() -> list[str]:
    return [_found("go"), "build", "-o", str(GO_PROGRAM), "."]


def _found(name: str) -> str:
    return shutil.which(name) or _without(f"{name} is not installed")


def _started(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def _finished(process: subprocess.Popen[str]) -> None:
    if process.returncode is None:
        try:
            _, errors = process.communicate(timeout=FETCH_S)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
        if process.returncode:
            _without(f"{process.args} failed: {errors[-500:]}")


def _without(reason: str) -> Any:
    if os.environ.get("CI") == "true":
        pytest.fail(f"the examples of adapters are needed under CI: {reason}")
    pytest.skip(f"an example of an adapter cannot run here: {reason}")
