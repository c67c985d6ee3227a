"""A log line about an error of the database has its type, SQLSTATE and constraint, and no value of a row."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from harness.fixtures import DatabaseFor
from pydantic import BaseModel

from didflow_chassis.database import Database, Outage, Rejected
from didflow_chassis.telemetry import logs

NAME = "Aoife Byrne"
TABLE = """
CREATE TABLE people (name text CONSTRAINT people_name UNIQUE, age smallint CONSTRAINT adult CHECK (age > 17));
INSERT INTO people (name) VALUES ('Aoife Byrne')
"""
STATEMENTS = {
    "a row that is there already": "INSERT INTO people (name) VALUES ('Aoife Byrne')",
    "a check": "INSERT INTO people (name, age) VALUES ('Aoife Byrne', 3)",
    "a text that is no date": "SELECT 'Aoife Byrne'::date",
    "an exception of a function": "DO $$ BEGIN RAISE 'x' USING DETAIL = 'Aoife Byrne', HINT = 'Aoife Byrne'; END $$",
}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(service="inventory", process="api", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def database(database_for: DatabaseFor) -> Database:
    made = Database(await database_for("people"), application="test")
    await made.start()
    await made.pool.execute(TABLE)
    yield made
    await made.stop()


async def error_of(database: Database, statement: str, *values: object) -> Exception:
    """Return the error of a statement, raised from inside as the stage sees it."""
    try:
        async with database.transaction() as connection:
            await connection.execute(statement, *values)
    except (Outage, Rejected) as error:
        return error
    raise AssertionError("the database has refused nothing")


def logged(stream: io.StringIO, error: BaseException) -> str:
    """Log an error in each way in which code logs errors, and return the lines."""
    ours = logging.getLogger("ours")
    ours.error("failed", exc_info=error)
    ours.error("failed: %s", error)
    ours.error("failed: %(error)s", {"error": error})
    ours.error("failed", extra={"error": error, "errors": [error]})
    structlog.get_logger("ours").error("failed", exc_info=error, error=error)
    structlog.get_logger("ours").error("failed: %s", error)
    for cause in (error.__cause__, error.__context__):
        ours.error("failed", exc_info=cause, extra={"cause": cause})
    ours.error("failed", exc_info=ExceptionGroup("several", [ValueError("one"), error]))
    return stream.getvalue()


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_a_logged_error_of_the_database_has_no_value_of_a_row(
    database: Database, stream: io.StringIO, statement: str
) -> None:
    """Neither its message, nor its detail, nor its hint is logged, in whatever way it is logged."""
    error = await error_of(database, STATEMENTS[statement])
    assert NAME in str(error.__cause__) + str(error.__cause__.__dict__)
    text = logged(stream, error)
    assert NAME not in text
    assert all(json.loads(line)["level"] == "error" for line in text.splitlines())


async def test_a_logged_error_of_the_database_names_type_sqlstate_and_constraint(
    database: Database, stream: io.StringIO
) -> None:
    """That is what is needed to find the cause, with the lines of code of the traceback."""
    error = await error_of(database, STATEMENTS["a check"])
    assert isinstance(error, Rejected)
    logging.getLogger("ours").error("failed", exc_info=error)
    text = json.loads(stream.getvalue())["exception"]
    assert "asyncpg.exceptions.CheckViolationError: SQLSTATE 23514, constraint adult" in text
    assert "The above exception was the direct cause" in text
    assert text.splitlines()[-1] == "didflow_chassis.database.Rejected: CheckViolationError: 23514"
    assert "connection.execute(statement, *values)" in text


async def test_a_value_that_the_driver_refuses_is_not_logged(database: Database, stream: io.StringIO) -> None:
    """The driver's own errors show the value of the argument."""
    error = await error_of(database, "INSERT INTO people (age) VALUES ($1)", NAME)
    assert isinstance(error, Rejected)
    assert NAME in str(error.__cause__ or error)
    assert NAME not in logged(stream, error)


def test_a_value_that_a_model_refuses_is_not_logged(stream: io.StringIO) -> None:
    """Errors of pydantic show the input. The log has the place of each error and its kind."""

    class Person(BaseModel):
        age: int

    with pytest.raises(ValueError, match=NAME) as raised:
        Person.model_validate({"age": NAME})
    text = logged(stream, raised.value)
    assert NAME not in text
    assert "ValidationError: Person: age int_parsing" in text


def test_the_text_of_other_errors_is_logged(stream: io.StringIO) -> None:
    """With their causes, contexts, groups and notes, as Python prints them."""
    error = ValueError("why")
    error.add_note("and how")
    error.__context__ = KeyError("before")
    text = logged(stream, error)
    for part in (
        "ValueError: why",
        "and how",
        "KeyError: 'before'",
        "During handling",
        "several (2 sub-exceptions)",
    ):
        assert part in text
