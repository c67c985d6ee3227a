"""What an error of the database or its driver means for a batch."""

import asyncpg
import pytest

from didflow_chassis.database import DRIVER_ERRORS, BadStatement, Outage, Rejected, Transient, classify


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (asyncpg.SerializationError("lost"), Transient),
        (asyncpg.DeadlockDetectedError("lost"), Transient),
        (asyncpg.UniqueViolationError("twice"), Rejected),
        (asyncpg.AdminShutdownError("ended"), Outage),
        (asyncpg.UndefinedColumnError("no column"), BadStatement),
        (asyncpg.InsufficientPrivilegeError("no right"), BadStatement),
        (asyncpg.QueryCanceledError("too slow"), BadStatement),
        (asyncpg.ConnectionDoesNotExistError("closed"), Outage),
        (asyncpg.InterfaceError("the connection is closed"), Outage),
        (ConnectionResetError(), Outage),
        (TimeoutError(), Outage),
    ],
)
def test_an_error_means_what_its_class_says(error: Exception, meaning: type[Exception]) -> None:
    """After a conflict the batch runs again; a refused row splits the batch; everything else is an outage."""
    assert isinstance(error, DRIVER_ERRORS)
    assert type(classify(error)) is meaning


def test_a_statement_that_does_not_fit_is_an_outage_for_records_and_requests() -> None:
    """They wait for a release or a migration that fits."""
    assert issubclass(BadStatement, Outage)


def test_a_session_killed_while_it_is_handed_back_is_an_outage_and_no_defect() -> None:
    """The driver then raises an internal error, which is an outage: a worker retries, and an API answers 503."""
    error = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
    assert isinstance(error, DRIVER_ERRORS)
    assert isinstance(classify(error), Outage)


def test_what_the_database_did_not_raise_is_not_judged() -> None:
    """A defect of ours is no error of the database."""
    assert classify(KeyError("x")) is None
