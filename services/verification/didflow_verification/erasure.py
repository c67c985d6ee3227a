"""A person's data leaves the database: what is stated, documents, and what strangers' events and answers repeat.

What is stated goes through the stage; before and after it, waiting messages, dead letters, the outbox and stored
answers are looked through for what it was, and that is masked in place. Ids stay: they name nobody.
"""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
import sqlalchemy as sa
from msgspec.structs import asdict

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller, Refused
from didflow_chassis.stage.idempotency import Answer, IdempotencyKey
from didflow_chassis.states import Kind
from didflow_verification import store
from didflow_verification.documents.contents import Contents
from didflow_verification.domain.details.commands import EraseIdentity
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.evaluation.findings import MESSAGES
from didflow_verification.domain.evaluation.folding import compact

S = TypeVar("S")

LEAST: Final = 3
"""Characters: what is shorter is in any text by chance."""

PAGE: Final = 500
_WEAK = frozenset({"first_name", "birth_date", "city", "region", "postal_code", "country"})
"""Fields that say nothing of a person alone: masked only beside one that does."""

_RECORDS: Final = {
    "parked": ("bigint", ", last_error = coalesce($4, last_error)", "last_error"),
    "dead_letters": ("uuid", ", detail = coalesce($4, detail)", "detail"),
    "outbox": ("bigint", "", "NULL::text"),
}
"""Tables of records: the type of their ids, and what else of a row is words, set and read."""

_READ = """
SELECT id, value, headers, {words} AS words FROM {table}
WHERE $1::{kind} IS NULL OR id > $1 ORDER BY id LIMIT {page}
"""
_WRITE = """
UPDATE {table} SET value = coalesce($2, value), headers = coalesce($3::jsonb, headers){also} WHERE id = $1
"""
_ANSWERS = """
SELECT account, route, key, body FROM idempotency
WHERE EXISTS (SELECT FROM unnest($1::bytea[]) AS n (needle) WHERE position(needle IN body) > 0)
"""
_ANSWER = "UPDATE idempotency SET body = $4 WHERE account = $1 AND route = $2 AND key = $3"
_REASONS = """
SELECT verification_id, did_id, reasons FROM verifications WHERE identity_id = $1 AND verification_id > $2
ORDER BY verification_id LIMIT $3
"""
_REASON = "UPDATE verifications SET reasons = $2::jsonb, version = version + 1 WHERE verification_id = $1"
_REGISTRATIONS = """
SELECT did_id, reasons FROM registrations WHERE did_id = ANY($1::uuid[])
AND $2::text IN (assigned ->> 'identity_id', approved ->> 'identity_id')
"""
_REGISTRATION = "UPDATE registrations SET reasons = $2::jsonb, version = version + 1 WHERE did_id = $1"
_REQUESTS = "SELECT request_id, reasons FROM service_requests WHERE identity_id = $1"
_REQUEST = "UPDATE service_requests SET reasons = $2::jsonb, version = version + 1 WHERE request_id = $1"
_CONTENTS = "SELECT content_id FROM document_contents WHERE document_id = ANY($1::uuid[])"


class NotErased(Exception):
    """Nothing was erased; `code` says why: `not_found`, or `in_use` by living DIDs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Found:
    """A person as it lies in the tables, with all that belongs to it."""

    identity: Identity
    addresses: tuple[Address, ...]
    documents: tuple[StoredDocument, ...]
    dids: int

    def needles(self) -> "Needles":
        """Return what to look for elsewhere."""
        stated = asdict(self.identity.person)
        pairs = [*stated.items(), *(pair for a in self.addresses for pair in asdict(a.place).items())]
        pairs += [pair for document in self.documents for pair in document.states]
        return Needles.of((name, str(value)) for name, value in pairs if value is not None)


@dataclass(frozen=True, kw_only=True)
class Needles:
    """Byte strings that tell a person (`strong`), and others that do so only beside those (`weak`)."""

    strong: tuple[bytes, ...] = field(repr=False)
    weak: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, stated: Iterable[tuple[str, str]]) -> "Needles":
        """Make them of fields and their values, in the ways that values are usually written."""
        strong: set[bytes] = set()
        weak: set[bytes] = set()
        for name, value in stated:
            if len(value.strip()) >= LEAST:
                (weak if name in _WEAK else strong).update(_written(value.strip()))
        longest = {"key": len, "reverse": True}
        return cls(strong=tuple(sorted(strong, **longest)), weak=tuple(sorted(weak - strong, **longest)))  # type: ignore[call-overload]

    def masked(self, text: bytes | None) -> bytes | None:
        """Return a text with all of them masked, each as long as it was; None where there is nothing to mask."""
        if not text or not any(needle in text for needle in self.strong):
            return None
        for needle in (*self.strong, *self.weak):
            text = text.replace(needle, b"*" * len(needle))
        return text


def _written(value: str) -> set[bytes]:
    ways = {value, value.upper(), value.lower(), value.title(), compact(value)}
    escaped = {json.dumps(way)[1:-1] for way in ways}
    return {way.encode() for way in ways | escaped if len(way) >= LEAST}


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """One person's erasure, over a stage, its database and all documents' bytes."""

    stage: Any
    database: Database
    contents: Contents | None
    identity_id: UUID

    async def find(self) -> Found:
        """Read all that there is. Raises NotErased `not_found`."""
        rows = await self.database.fetch(store.by_keys(store.IDENTITIES, [self.identity_id]))
        if not rows:
            raise NotErased("not_found", "there is no such identity")
        uses = await self.database.fetch(store.by_keys(store.USES, [self.identity_id]))
        return Found(
            identity=store.state_in(store.IDENTITIES, rows[0]),
            addresses=await self._owned(store.ADDRESSES),
            documents=await self._owned(store.DOCUMENTS),
            dids=uses[0]["dids"] if uses else 0,
        )

    async def run(self, found: Found, tell: Callable[[str], None]) -> int:
        """Erase; return in how many other places something of the person was masked.

        Raises NotErased `in_use` where a living DID rests on it. May be run again after an end at any instant.
        """
        if found.dids:
            raise NotErased("in_use", f"{found.dids} numbers rest on it")
        if found.documents and self.contents is None:
            raise NotErased("unavailable", "no key for documents is configured")
        needles = found.needles()
        masked = await self._look_through(needles, tell)
        tell("what it states")
        await self._erased()
        if self.contents is not None:
            tell("the bytes of its documents")
            named = await self.database.fetch(_CONTENTS, [d.document_id for d in found.documents])
            await self.contents.discard(*(row["content_id"] for row in named))
        return masked + await self._look_through(needles, tell)

    async def _owned(self, kind: Kind[S]) -> tuple[S, ...]:
        columns = (kind.table.c[name] for name in kind.columns)
        statement = sa.select(*columns).where(kind.table.c.identity_id == self.identity_id)
        return tuple(store.state_in(kind, row) for row in await self.database.fetch(statement))

    async def _erased(self) -> None:
        caller = Caller(subject="erase", account="", role="operator")
        command = EraseIdentity(entity_id=self.identity_id, subject="", caller=caller)
        refused: list[Refused] = []

        def note(results: Any) -> Answer:
            refused[:] = [r for r in results if isinstance(r, Refused)]
            return Answer(status=200, body=b"")

        key = IdempotencyKey(account="", route="identity erase", value=None, digest=b"")
        await self.stage.command([command], key=key, actor="service:verification", answer=note)
        for one in refused:
            raise NotErased(one.code, one.message)

    async def _look_through(self, needles: Needles, tell: Callable[[str], None]) -> int:
        tell("words of reviewers")
        masked = await self._reasons()
        tell("stored answers")
        masked += await self._answers(needles)
        for table in _RECORDS:
            tell(table.replace("_", " "))
            masked += await self._records(table, needles)
        return masked

    async def _reasons(self) -> int:
        """Let reasons say what their codes say: a reviewer's own words may name the person."""
        asked = await self.database.fetch(_REQUESTS, self.identity_id)
        last, changed = UUID(int=0), await self._plain_words(asked, "request_id", _REQUEST)
        while rows := await self.database.fetch(_REASONS, self.identity_id, last, PAGE):
            changed += await self._plain_words(rows, "verification_id", _REASON)
            dids = list({row["did_id"] for row in rows})
            kept = await self.database.fetch(_REGISTRATIONS, dids, str(self.identity_id))
            changed += await self._plain_words(kept, "did_id", _REGISTRATION)
            last = rows[-1]["verification_id"]
        return changed

    async def _plain_words(self, rows: list[Any], key: str, statement: str) -> int:
        changed = 0
        for row in rows:
            reasons = orjson.loads(row["reasons"])
            plain = [reason | {"message": MESSAGES.get(reason["code"], "")} for reason in reasons]
            if plain != reasons:
                await self.database.fetch(statement, row[key], orjson.dumps(plain).decode())
                changed += 1
        return changed

    async def _answers(self, needles: Needles) -> int:
        rows = await self.database.fetch(_ANSWERS, list(needles.strong))
        for row in rows:
            masked = needles.masked(row["body"])
            await self.database.fetch(_ANSWER, row["account"], row["route"], row["key"], masked)
        return len(rows)

    async def _records(self, table: str, needles: Needles) -> int:
        """Mask a table of records: what their headers hold is told by decoding alone, so each is looked at."""
        kind, also, words = _RECORDS[table]
        read = _READ.format(table=table, kind=kind, words=words, page=PAGE)
        write = _WRITE.format(table=table, also=also)
        last, changed = None, 0
        while rows := await self.database.fetch(read, last):
            for row in rows:
                masked = _record(row, needles)
                if any(masked):
                    await self.database.fetch(write, row["id"], *(masked if also else masked[:2]))
                    changed += 1
            last = rows[-1]["id"]
        return changed


def _record(row: Any, needles: Needles) -> tuple[bytes | None, str | None, str | None]:
    words = needles.masked((row["words"] or "").encode())
    return needles.masked(row["value"]), _headers(row["headers"], needles), words.decode() if words else None


def _headers(written: str | None, needles: Needles) -> str | None:
    """Mask headers as they are stored: pairs of a name and base64; None where there is nothing to mask."""
    if not written:
        return None
    pairs, changed = [], False
    for name, value in orjson.loads(written):
        masked = needles.masked(base64.b64decode(value)) if value else None
        changed = changed or masked is not None
        pairs.append([name, base64.b64encode(masked).decode() if masked is not None else value])
    return orjson.dumps(pairs).decode() if changed else None
