"""F24: any bytes may come in values, keys, header names and header values. Each bad record is one dead letter.

The records go through a real broker: a record that a client cannot decode must reach the stage, and so must its
neighbours.
"""

import itertools
import json
from typing import Final

import asyncpg
from faults.installation import Install, Installation
from faults.invariants import CheckInvariants
from faults.raw_records import RawRecord, publish
from faults.recording_client import OpenClient, RecordingClient
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
"""Records that have broken a client or a stage at some time."""


def decode_error(record: RawRecord) -> str | None:
    """Return the code of the decode error of a record, or None if it is an event."""
    headers = tuple((name.decode("utf-8", "surrogateescape"), value) for name, value in record.headers)
    try:
        decode(record.value, headers, types=TYPES)
    except BadEvent as error:
        return error.code
    return None


async def publish_corpus(client: RecordingClient, corpus: list[RawRecord]) -> None:
    """Publish each bad record between two good ones in one batch. Write the places of the bad ones to the ledger."""
    for n, record in enumerate(corpus):
        reason = decode_error(record)
        if reason is None:
            continue
        neighbours = [client.make(), client.make()]
        before, after = (
            RawRecord(key=purchase.number.encode(), value=purchase.value, headers=STANDARD)
            for purchase in neighbours
        )
        partition = n % PARTITIONS
        topic = client.installation.parts.topic_prefix + TOPIC
        first = await publish(client.producer, topic, partition, [before, record, after])
        for purchase in neighbours:
            client.note(purchase)
        place = {"topic": TOPIC, "partition": partition, "offset": first + 1}
        client.ledger.write("poison", did_id="", number="", key=str(next(NUMBERS)), reason=reason, **place)


async def wait_until_processed(installation: Installation, client: RecordingClient) -> None:
    """Wait until billing has a state or a dead letter for each record."""
    expected = (len(client.purchases), len(list(client.ledger.of("poison"))))
    connection = await asyncpg.connect(installation.parts.postgres["billing"])

    async def all_there() -> bool:
        return expected == tuple(
            await connection.fetchrow(
                "SELECT (SELECT count(*) FROM terms), (SELECT count(*) FROM dead_letters)"
            )
        )

    try:
        await until(all_there, within=30, what=f"{expected} states and dead letters")
    finally:
        await connection.close()


def corpora(seed: int) -> list[list[RawRecord]]:
    """Return the known corpus and some random ones. The same seed gives the same corpora."""
    result = [KNOWN]

    @seeded(seed)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate])
    @given(corpus=CORPUS)
    def draw(corpus: list[RawRecord]) -> None:
        result.append(corpus)

    draw()
    return result


async def test_each_malformed_record_is_one_dead_letter_and_its_neighbours_are_applied(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants, seed: int
) -> None:
    """F24: each bad record of a corpus is one dead letter with its cause. Every record beside it is applied."""
    record_headers.install()
    installation = await install("billing")
    client = await open_client(installation)
    worker = await installation.worker("billing").ready()
    for corpus in corpora(seed):
        await publish_corpus(client, corpus)
        await wait_until_processed(installation, client)
    await check_invariants(installation)
    assert worker.process.exit_code is None
