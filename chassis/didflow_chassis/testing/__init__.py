"""Tools for tests of a service: a stage in memory, and a service on PostgreSQL.

`FakeStage` runs the real stage and the real timers on tables in memory. It needs no database, no broker and no event
loop, and processes a message in less than a millisecond. `ServiceOnPostgres` runs the same code on a real database and
adds the HTTP API. Both have the same methods; those of `ServiceOnPostgres` are awaited. `chassis/tests` runs every rule
of the stage on both.

    def test_a_repeated_order_is_delivered_once():
        stage = FakeStage(SERVICE, now=datetime(2026, 1, 31, tzinfo=UTC))
        stage.receive(ordered("o-1"))
        stage.receive(ordered("o-1"))
        assert stage.topics() == ["order.accepted"]
        stage.advance(timedelta(days=3))
        assert stage.state(Order, "o-1").status == "late"
        assert stage.run(Cancel(entity_id="o-1", subject="o-1", caller=CALLER)) == Refused("too_late")

    async def test_an_order_is_shown_to_its_account(dsn):
        async with ServiceOnPostgres.open(SERVICE, dsn) as service:
            await service.receive(ordered("o-1"))
            answer = await service.client(account="master/shop").get("/v1/orders/o-1")
            assert answer.status_code == 200
"""

from didflow_chassis.testing.decision_log import LoggedDecision
from didflow_chassis.testing.fake_stage import FakeStage
from didflow_chassis.testing.postgres import ServiceOnPostgres
from didflow_chassis.testing.service_under_test import DeadRecord, ParkedMessage

__all__ = ["DeadRecord", "FakeStage", "LoggedDecision", "ParkedMessage", "ServiceOnPostgres"]
