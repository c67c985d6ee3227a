"""Erases a person's data from the database: the details, the documents, and copies in events and stored answers.

The details are erased through the stage. Before and after that, parked messages, dead letters, the outbox and stored
answers are searched for the person's data, which is masked in place. Ids stay, because they identify nobody.
"""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from msgspec.structs import asdict

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller, Refused
from didflow_chassis.stage.call import HttpCall
from didflow_chassis.stage.idempotency import Answer, IdempotencyKey
from didflow_chassis.states import Kind
from didflow_verification import store
from didflow_verification.documents.contents import Contents
from didflow_verification.domain.commands import EraseIdentity
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.evaluation.findings import MESSAGES
from didflow_verification.domain.evaluation.normalization import compact

S = TypeVar("S")

MIN_LENGTH: Final = 3
"""The length of the shortest value that is searched for. Shorter values occur in other texts by chance."""

PAGE: Final = 500
_WEAK = frozenset({"first_name", "birth_date", "city", "region", "postal_code", "country"})
"""Fields that do not identify a person alone. They are masked only in a text that also has a strong value."""

_RECORD_TABLES: Final = {
    "parked": ("bigint", ", last_error = coalesce($4, last_error)", "last_error"),
    "dead_letters": ("uuid", ", detail = coalesce($4, detail)", "detail"),
    "outbox": ("bigint", "", "NULL::text"),
}
"""The tables of records: the type of their ids, and the column with text, as it is written and as it is read."""

_READ = """
SELECT id, value, headers, {text} AS text FROM {table}
WHERE $1::{kind} IS NULL OR id > $1 ORDER BY id LIMIT {page}
"""
_WRITE = """
UPDATE {table} SET value = coalesce($2, value), headers = coalesce($3::jsonb, headers){set_text} WHERE id = $1
"""
_ANSWERS = """
SELECT account, route, key, body FROM idempotency
WHERE EXISTS (SELECT FROM unnest($1::bytea[]) AS v (value) WHERE position(value IN body) > 0)
"""
_WRITE_ANSWER = "UPDATE idempotency SET body = $4 WHERE account = $1 AND route = $2 AND key = $3"
_VERIFICATIONS = """
SELECT verification_id, did_id, reasons FROM verifications WHERE identity_id = $1 AND verification_id > $2
ORDER BY verification_id LIMIT $3
"""
_WRITE_VERIFICATION = (
    "UPDATE verifications SET reasons = $2::jsonb, version = version + 1 WHERE verification_id = $1"
)
_REGISTRATIONS = """
SELECT did_id, reasons FROM registrations WHERE did_id = ANY($1::uuid[])
AND $2::text IN (assigned ->> 'identity_id', approved ->> 'identity_id')
"""
_WRITE_REGISTRATION = "UPDATE registrations SET reasons = $2::jsonb, version = version + 1 WHERE did_id = $1"
_REQUESTS = "SELECT request_id, reasons FROM service_requests WHERE identity_id = $1"
_WRITE_REQUEST = (
    "UPDATE service_requests SET reasons = $2::jsonb, version = version + 1 WHERE request_id = $1"
)
_CONTENTS = "SELECT content_id FROM document_contents WHERE document_id = ANY($1::uuid[])"


class NotErased(Exception):
    """Nothing was erased. `code` says why: `not_found`, `in_use` by live DIDs, or `unavailable` without a key."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class StoredPerson:
    """A person's data in the tables. `dids` counts the live DIDs that use it."""

    identity: Identity
    addresses: tuple[Address, ...]
    documents: tuple[Document, ...]
    dids: int

    def values(self) -> "PersonalValues":
        """Return the values to search for elsewhere."""
        fields = asdict(self.identity.person)
        pairs = [*fields.items(), *(pair for a in self.addresses for pair in asdict(a.place).items())]
        pairs += [pair for document in self.documents for pair in document.states]
        return PersonalValues.of((name, str(value)) for name, value in pairs if value is not None)


@dataclass(frozen=True, kw_only=True)
class PersonalValues:
    """Byte strings that identify a person (`strong`), and those that do so only next to a strong one (`weak`)."""

    strong: tuple[bytes, ...] = field(repr=False)
    weak: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, fields: Iterable[tuple[str, str]]) -> "PersonalValues":
        """Return the values of these fields, in all usual spellings."""
        strong: set[bytes] = set()
        weak: set[bytes] = set()
        for name, value in fields:
            if len(value.strip()) >= MIN_LENGTH:
                (weak if name in _WEAK else strong).update(_spellings(value.strip()))
        return cls(strong=_longest_first(strong), weak=_longest_first(weak - strong))

    def masked(self, text: bytes | None) -> bytes | None:
        """Return the text with every value replaced by as many `*`, or None if it has no strong value."""
        if not text or not any(value in text for value in self.strong):
            return None
        for value in (*self.strong, *self.weak):
            text = text.replace(value, b"*" * len(value))
        return text


def _longest_first(values: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(values, key=len, reverse=True))


def _spellings(value: str) -> set[bytes]:
    spellings = {value, value.upper(), value.lower(), value.title(), compact(value)}
    escaped = {json.dumps(each)[1:-1] for each in spellings}
    return {each.encode() for each in spellings | escaped if len(each) >= MIN_LENGTH}


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """The erasure of one person, with the stage, the database and the contents that it works on."""

    stage: Any
    database: Database
    contents: Contents | None
    identity_id: UUID

    async def find(self) -> StoredPerson:
        """Return the person's data. Raises NotErased `not_found`."""
        rows = await self.database.fetch(store.by_keys(store.IDENTITIES, [self.identity_id]))
        if not rows:
            raise NotErased("not_found", "There is no such identity.")
        uses = await self.database.fetch(store.by_keys(store.DETAIL_USES, [self.identity_id]))
        return StoredPerson(
            identity=store.state_of(store.IDENTITIES, rows[0]),
            addresses=await self._owned(store.ADDRESSES),
            documents=await self._owned(store.DOCUMENTS),
            dids=uses[0]["dids"] if uses else 0,
        )

    async def run(self, person: StoredPerson, on_step: Callable[[str], None]) -> int:
        """Erase the person. Return in how many other places its data was masked.

        Raises NotErased `in_use`, `unavailable`. After a crash at any instant it can be run again.
        """
        if person.dids:
            raise NotErased("in_use", f"{person.dids} live DIDs use it. Assign other details to them first.")
        if person.documents and self.contents is None:
            raise NotErased("unavailable", "No key for documents is configured. Set DIDFLOW_DOCUMENT_KEYS.")
        values = person.values()
        masked = await self._mask_copies(values, on_step)
        on_step("details")
        await self._erase_details()
        if self.contents is not None:
            on_step("contents of documents")
            rows = await self.database.fetch(_CONTENTS, [d.document_id for d in person.documents])
            await self.contents.discard(*(row["content_id"] for row in rows))
        return masked + await self._mask_copies(values, on_step)

    async def _owned(self, kind: Kind[S]) -> tuple[S, ...]:
        rows = await self.database.fetch(store.of_identity(kind, self.identity_id))
        return tuple(store.state_of(kind, row) for row in rows)

    async def _erase_details(self) -> None:
        caller = Caller(subject="erase", account="", role="operator")
        command = EraseIdentity(entity_id=self.identity_id, subject="", caller=caller)
        refused: list[Refused] = []

        def answer(results: Any) -> Answer:
            refused[:] = [r for r in results if isinstance(r, Refused)]
            return Answer(status=200, body=b"")

        key = IdempotencyKey(account="", route="identity erase", value=None, digest=b"")
        await self.stage.command([command], HttpCall(key=key, actor="service:verification", answer=answer))
        for one in refused:
            raise NotErased(one.code, one.message)

    async def _mask_copies(self, values: PersonalValues, on_step: Callable[[str], None]) -> int:
        on_step("texts of reviewers")
        masked = await self._mask_reasons()
        on_step("stored answers")
        masked += await self._mask_answers(values)
        for table in _RECORD_TABLES:
            on_step(table.replace("_", " "))
            masked += await self._mask_records(table, values)
        return masked

    async def _mask_reasons(self) -> int:
        """Replace the texts of reasons by those of their codes. A reviewer's own words can name the person."""
        requests = await self.database.fetch(_REQUESTS, self.identity_id)
        last, changed = UUID(int=0), await self._use_standard_texts(requests, "request_id", _WRITE_REQUEST)
        while rows := await self.database.fetch(_VERIFICATIONS, self.identity_id, last, PAGE):
            changed += await self._use_standard_texts(rows, "verification_id", _WRITE_VERIFICATION)
            dids = list({row["did_id"] for row in rows})
            registrations = await self.database.fetch(_REGISTRATIONS, dids, str(self.identity_id))
            changed += await self._use_standard_texts(registrations, "did_id", _WRITE_REGISTRATION)
            last = rows[-1]["verification_id"]
        return changed

    async def _use_standard_texts(self, rows: list[Any], key: str, statement: str) -> int:
        changed = 0
        for row in rows:
            reasons = orjson.loads(row["reasons"])
            standard = [reason | {"message": MESSAGES.get(reason["code"], "")} for reason in reasons]
            if standard != reasons:
                await self.database.fetch(statement, row[key], orjson.dumps(standard).decode())
                changed += 1
        return changed

    async def _mask_answers(self, values: PersonalValues) -> int:
        rows = await self.database.fetch(_ANSWERS, list(values.strong))
        for row in rows:
            masked = values.masked(row["body"])
            await self.database.fetch(_WRITE_ANSWER, row["account"], row["route"], row["key"], masked)
        return len(rows)

    async def _mask_records(self, table: str, values: PersonalValues) -> int:
        """Mask a table of records. Every row is read, because headers can only be searched after decoding."""
        kind, set_text, text = _RECORD_TABLES[table]
        read = _READ.format(table=table, kind=kind, text=text, page=PAGE)
        write = _WRITE.format(table=table, set_text=set_text)
        last, changed = None, 0
        while rows := await self.database.fetch(read, last):
            for row in rows:
                masked = _masked_record(row, values)
                if any(masked):
                    await self.database.fetch(write, row["id"], *(masked if set_text else masked[:2]))
                    changed += 1
            last = rows[-1]["id"]
        return changed


def _masked_record(row: Any, values: PersonalValues) -> tuple[bytes | None, str | None, str | None]:
    text = values.masked((row["text"] or "").encode())
    headers = _masked_headers(row["headers"], values)
    return values.masked(row["value"]), headers, text.decode() if text else None


def _masked_headers(stored: str | None, values: PersonalValues) -> str | None:
    """Mask stored headers, which are pairs of a name and base64. Return None if there is nothing to mask."""
    if not stored:
        return None
    pairs, changed = [], False
    for name, value in orjson.loads(stored):
        masked = values.masked(base64.b64decode(value)) if value else None
        changed = changed or masked is not None
        pairs.append([name, base64.b64encode(masked).decode() if masked is not None else value])
    return orjson.dumps(pairs).decode() if changed else None
