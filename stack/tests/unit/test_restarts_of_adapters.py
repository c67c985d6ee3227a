"""How a conformance run restarts an adapter that it has not started itself."""

import asyncio
from pathlib import Path

import pytest

from didflow.conformance.restarts import Person, RestartCommand, StartedProcess
from didflow.errors import DidNotStart


async def test_a_person_is_asked_and_the_run_goes_on_meanwhile() -> None:
    """The text says what to do. The restart ends when the person has confirmed."""
    asked: list[str] = []
    confirmed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask(text: str) -> None:
        asked.append(text)
        asyncio.run_coroutine_threadsafe(confirmed.wait(), loop).result(5)

    person = Person(ask)
    restarting = asyncio.create_task(person.restart())
    await asyncio.sleep(0.01)
    assert not restarting.done()
    confirmed.set()
    await restarting
    assert asked == ["Kill the adapter now (kill -9), start it again, and press Enter."]
    assert person.failure() is None


async def test_a_restart_command_runs_to_its_end(tmp_path: Path) -> None:
    """Its arguments are those of a shell, but no shell runs it."""
    file = tmp_path / "a file"
    await RestartCommand(f"touch '{file}'").restart()
    assert file.exists()


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("sh -c 'exit 3'", "The restart command exited with code 3."),
        ("no-such-program -x", "no-such-program could not be started: No such file or directory"),
        ("sh -c 'exit", 'The command "sh -c \'exit" is empty, or a quotation mark in it has no end.'),
        (" ", "The command ' ' is empty, or a quotation mark in it has no end."),
    ],
)
async def test_a_restart_command_that_fails_ends_the_run(command: str, text: str) -> None:
    """The error says why."""
    with pytest.raises(DidNotStart) as failed:
        await RestartCommand(command).restart()
    assert str(failed.value) == text


def test_a_command_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Without a stack trace."""
    with pytest.raises(DidNotStart, match="a quotation mark in it has no end"):
        StartedProcess("node 'acme.js", {}, tmp_path / "log")


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """Before a process is started."""
    with pytest.raises(DidNotStart, match="There is no program 'no-such-program' that can be started"):
        StartedProcess("no-such-program -x", {"PATH": "/usr/bin"}, tmp_path / "log").start()
