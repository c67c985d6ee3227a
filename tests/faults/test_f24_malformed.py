"""F24: whatever bytes come, in value, key, header names and header values, each is one dead letter, alone.

Through a real broker: what a client cannot even decode must reach the stage, and its neighbours with it.
"""

import itertools
import json
from typing import Final

import asyncpg
from faults.installation import Install, Installation
from faults.invariants import Judge
from faults.oracle import Ask, Oracle
from faults.rawrecords import RawRecord, publish
from harness.processes import until
from hypothesis import Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from didflow_chassis.kafka_internals import record_headers
from didflow_contracts.envelope import CONTENT_TYPE, BadEvent, decode
from didflow_contracts.events import DidPurchased

TOPIC: Final = DidPurchased.topic
TYPES: Final = {DidPurchased.type(): DidPurchased}
STANDARD: Final = ((b"content-type", CONTENT_TYPE.encode()),)
PARTITIONS: Final = 12
EXAMPLES: Final = 8
DEEP: Final = b"[" * 100_000 + b"]" * 100_000
NUMBERS = itertools.count()

BYTES = st.binary(max_size=40)
VALUES = st.one_of(
    st.none(),
    BYTES,
    st.sampled_from([b"", b"null", b"[]", b"{}", b"{", b"NaN", b'{"data": NaN}', b'{"id": 1e999}', DEEP]),
    st.sampled_from([b'{"id": "\\ud800"}', b'{"id": "\xed\xa0\x80"}', b'"\\u0000"', b"9" * 5000]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
)
HEADERS = st.one_of(
    st.just(STANDARD),
    st.lists(st.tuples(BYTES, st.none() | BYTES), max_size=4).map(tuple),
    st.sampled_from([b"ce_id", b"ce_type", b"reply_to", b"content-type"]).flatmap(
        lambda name: BYTES.map(lambda value: ((name, value),))
    ),
)
RECORDS = st.builds(RawRecord, key=st.none() | BYTES, value=VALUES, headers=HEADERS)
CORPUS = st.lists(RECORDS, min_size=20, max_size=60)
KNOWN: Final = [
    RawRecord(key=None, value=None),
    RawRecord(key=None, value=None, headers=STANDARD),
    RawRecord(key=b"\xff\xfe", value=b"{}", headers=((b"\xff\xfe", b"x"),)),
    RawRecord(key=b"k", value=b"{}", headers=((b"\xc3\x28", None), *STANDARD)),
    RawRecord(key=b"k", value=b"{}", headers=((b"x", b"\xff\xff"),)),
    RawRecord(key=b"k", value=b"{}", headers=tuple((b"h%d" % n, b"v") for n in range(10_000))),
    RawRecord(key=b"k", value=b"{}", headers=((b"", b""), (b"a\0b", b"c\0d"))),
    RawRecord(key=b"k" * 3000, value=DEEP, headers=STANDARD),
    RawRecord(key=b"k", value=b"\xff" * 1_200_000, headers=STANDARD),
]
"""What broke a client or a stage at some time, here or elsewhere."""


def fault(record: RawRecord) -> str | None:
    """Say why a record is no event; None for one that is."""
    named = tuple((name.decode("utf-8", "surrogateescape"), value) for name, value in record.headers)
    try:
        decode(record.value, named, types=TYPES)
    except BadEvent as bad:
        return bad.code
    return None


async def spoil(oracle: Oracle, corpus: list[RawRecord]) -> None:
    """Publish a corpus, each record between good neighbours in one batch, and write down where the bad lie."""
    for n, record in enumerate(corpus):
        reason = fault(record)
        if reason is None:
            continue
        neighbours = [oracle.make(), oracle.make()]
        before, after = (
            RawRecord(key=one.number.encode(), value=one.value, headers=STANDARD) for one in neighbours
        )
        partition = n % PARTITIONS
        topic = oracle.at.parts.topic_prefix + TOPIC
        first = await publish(oracle.producer, topic, partition, [before, record, after])
        for one in neighbours:
            oracle.note(one)
        where = {"topic": TOPIC, "partition": partition, "offset": first + 1}
        oracle.ledger.write("poison", did_id="", number="", key=str(next(NUMBERS)), reason=reason, **where)


async def taken(at: Installation, oracle: Oracle) -> None:
    """Wait until billing has as many states and letters as it was sent."""
    wanted = (len(oracle.bought), len(list(oracle.ledger.of("poison"))))
    connection = await asyncpg.connect(at.parts.postgres["billing"])

    async def all_there() -> bool:
        return wanted == tuple(
            await connection.fetchrow(
                "SELECT (SELECT count(*) FROM terms), (SELECT count(*) FROM dead_letters)"
            )
        )

    try:
        await until(all_there, within=30, what=f"{wanted} states and letters")
    finally:
        await connection.close()


def corpora(seed: int) -> list[list[RawRecord]]:
    """Draw some corpora, the same for the same seed, and begin with what is known."""
    drawn = [KNOWN]

    @seeded(seed)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate])
    @given(corpus=CORPUS)
    def draw(corpus: list[RawRecord]) -> None:
        drawn.append(corpus)

    draw()
    return drawn


async def test_each_malformed_record_is_one_dead_letter_and_its_neighbours_are_taken(
    install: Install, ask: Ask, judge: Judge, seed: int
) -> None:
    """F24: of a corpus of bytes each bad one is dead-lettered once with its cause, everything beside it is taken."""
    record_headers.install()
    at = await install("billing")
    oracle = await ask(at)
    worker = await at.worker("billing").ready()
    for corpus in corpora(seed):
        await spoil(oracle, corpus)
        await taken(at, oracle)
    await judge(at)
    assert worker.process.exit_code is None
