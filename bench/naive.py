"""The naive application: FastStream as in its tutorial, one message at a time, with one SQLAlchemy session each.

It keeps the same guarantee as the floor and writes the same as billing: an inbox row, the term, two ledger lines and
three outbox rows in one transaction, then the offset. A task publishes the outbox row by row.
Its tables and indexes are those of billing.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, ClassVar
from uuid import UUID, uuid4

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from pydantic import BaseModel
from sqlalchemy import BigInteger, Identity, select
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.purchases import TOPIC
from bench.variant import Run, Stopwatch, Took, main
from didflow_contracts.events import DidPurchased
from didflow_contracts.money import Money

SAID = 3
"""Events that are published for each purchase."""


class Base(DeclarativeBase):
    """The application's tables."""

    type_annotation_map: ClassVar = {
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


class Inbox(Base):
    """The events that were taken."""

    __tablename__ = "inbox"
    id: Mapped[bytes] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    decision: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


class Outbox(Base):
    """The records to publish."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    topic: Mapped[str]
    key: Mapped[bytes]
    value: Mapped[bytes]


class Term(Base):
    """The state."""

    __tablename__ = "terms"
    did_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    account: Mapped[str]
    payer: Mapped[str]
    order_id: Mapped[str | None]
    state: Mapped[str]
    price: Mapped[dict[str, Any] | None]
    billing_period: Mapped[int | None]
    purchased_at: Mapped[datetime | None]
    period: Mapped[int] = mapped_column(default=1)
    period_start: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    anchor: Mapped[datetime | None]
    anchor_months: Mapped[int] = mapped_column(default=1)
    free_days: Mapped[int] = mapped_column(default=0)
    completed: Mapped[bool] = mapped_column(default=False)
    accepted: Mapped[bool] = mapped_column(default=False)
    charges: Mapped[list[Any]] = mapped_column(default=list)
    entry_count: Mapped[int] = mapped_column(default=2)
    sequences: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(BigInteger, default=1)
    sequence: Mapped[int] = mapped_column(BigInteger, default=1)
    correlation_id: Mapped[str]


class Line(Base):
    """One line of the ledger."""

    __tablename__ = "ledger"
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    did_id: Mapped[UUID]
    number: Mapped[str]
    position: Mapped[int]
    order_id: Mapped[str | None]
    payer: Mapped[str]
    kind: Mapped[str]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    period_start: Mapped[datetime | None]
    posted_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Purchased(BaseModel):
    """The event that arrives."""

    id: str
    source: str
    time: datetime
    data: DidPurchased


class TermData(BaseModel):
    """The data of the term's event."""

    did_id: UUID
    number: str
    account: str
    state: str
    reason: str
    billing_period: int | None
    period_start: datetime | None
    expires_at: datetime | None


class PostedData(BaseModel):
    """The data of a ledger line's event."""

    did_id: UUID
    number: str
    account: str
    entry_id: UUID
    order_id: str | None
    payer: str
    kind: str
    money: Money


class Published(BaseModel):
    """An event to publish."""

    specversion: str = "1.0"
    id: str
    source: str = "/didflow/billing"
    type: str
    subject: str
    time: datetime
    causationid: str
    data: TermData | PostedData


async def take(session: AsyncSession, event: Purchased, prefix: str) -> None:
    """Take one purchase. A repeat has no effect. Else write the term, its charges and their events."""
    inbox_id = blake2b(f"{event.source}\0{event.id}".encode(), digest_size=16).digest()
    if await session.get(Inbox, inbox_id):
        return
    session.add(Inbox(id=inbox_id, digest=b"", decision="applied"))
    if await session.get(Term, event.data.did_id):
        return
    term = _started(event)
    session.add(term)
    session.add(_outbox_row(prefix, "term.changed", event, _term_data(term)))
    price = event.data.price
    for number, kind, money in (
        ((1, "setup", price.setup), (2, "recurring", price.recurring)) if price else ()
    ):
        line = _posted(event, number, kind, money)
        session.add(line)
        session.add(_outbox_row(prefix, "ledger.posted", event, _line_data(line, event)))


def _started(event: Purchased) -> Term:
    data = event.data
    since = data.purchased_at or event.time
    return Term(
        did_id=data.did_id,
        number=data.number,
        account=data.account,
        payer=data.account,
        order_id=data.order_id,
        state="active",
        price=data.price.model_dump(mode="json") if data.price else None,
        billing_period=data.billing_period,
        purchased_at=since,
        period_start=since,
        expires_at=since + timedelta(days=30),
        anchor=since,
        correlation_id=event.id,
    )


def _posted(event: Purchased, number: int, kind: str, money: Money) -> Line:
    return Line(
        entry_id=uuid4(),
        did_id=event.data.did_id,
        number=event.data.number,
        position=number,
        order_id=event.data.order_id,
        payer=event.data.account,
        kind=kind,
        amount=money.amount,
        currency=money.currency,
        period_start=event.time if kind == "recurring" else None,
        posted_at=event.time,
        recorded_at=datetime.now(UTC),
    )


def _term_data(term: Term) -> TermData:
    return TermData(
        did_id=term.did_id,
        number=term.number,
        account=term.account,
        state=term.state,
        reason="started",
        billing_period=term.billing_period,
        period_start=term.period_start,
        expires_at=term.expires_at,
    )


def _line_data(line: Line, event: Purchased) -> PostedData:
    return PostedData(
        did_id=line.did_id,
        number=line.number,
        account=event.data.account,
        entry_id=line.entry_id,
        order_id=line.order_id,
        payer=line.payer,
        kind=line.kind,
        money=Money(amount=line.amount, currency=line.currency),
    )


def _outbox_row(prefix: str, topic: str, event: Purchased, data: TermData | PostedData) -> Outbox:
    published = Published(
        id=str(uuid4()),
        type=f"didflow.{topic}.v1",
        subject=data.number,
        time=event.time,
        causationid=event.id,
        data=data,
    )
    return Outbox(topic=prefix + topic, key=data.number.encode(), value=published.model_dump_json().encode())


async def publish_outbox(sessions: async_sessionmaker[AsyncSession], broker: KafkaBroker) -> int:
    """Publish the outbox rows one after the other. Each row is deleted when it is acknowledged."""
    async with sessions.begin() as session:
        rows = (await session.scalars(select(Outbox).order_by(Outbox.id).limit(100))).all()
        for row in rows:
            await broker.publish(row.value, topic=row.topic, key=row.key)
            await session.delete(row)
    return len(rows)


async def _json(message: KafkaMessage) -> Any:
    """Parse the body as JSON, because the framework's decoder does not know the content type of CloudEvents."""
    return json.loads(message.body)


async def run_naive(run: Run) -> Took:
    """Take all purchases. The run ends when the last row is published."""
    engine = create_async_engine(run.dsn.replace("postgresql://", "postgresql+asyncpg://"))
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    broker = KafkaBroker(run.kafka, acks="all", enable_idempotence=True, logger=None)
    watch = Stopwatch()

    @broker.subscriber(
        run.prefix + TOPIC,
        group_id=f"{run.prefix}naive",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        decoder=_json,
    )
    async def handle(event: Purchased) -> None:
        if watch.messages == run.messages:
            return
        watch.batch(1)
        async with sessions.begin() as session:
            await take(session, event, run.prefix)

    await broker.start()
    published = 0
    try:
        while published < run.messages * SAID:
            sent = await publish_outbox(sessions, broker)
            published += sent
            await asyncio.sleep(0 if sent else 0.05)
        return watch.took(published=published)
    finally:
        await broker.stop()
        await engine.dispose()


if __name__ == "__main__":
    main(run_naive)
