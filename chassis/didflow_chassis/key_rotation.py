"""Key rotation: the job that encrypts again what is stored under another key than the wanted one.

A kind of state has one ciphertext, and the column `key_id` names its key. The new ciphertext is made outside of the
transaction. In the transaction of the chunk, the command `ReplaceCiphertext` replaces the one that was read, unless it
was erased or replaced meanwhile: a content that was written meanwhile is never overwritten by an earlier one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec import Struct

from didflow_chassis.database import Database
from didflow_chassis.decision import Refused, ReplaceCiphertext, Unchanged
from didflow_chassis.encryption import Keyring, Sealed, Unreadable, seal, unseal
from didflow_chassis.jobs.kinds import Item, JobKind, JobTools, Work
from didflow_chassis.states import Kind

S = TypeVar("S")


class RotateKeys(Struct, frozen=True, kw_only=True):
    """The parameters of the job: the id of the key under which everything must be."""

    key_id: str


Tools = JobTools[RotateKeys]


@dataclass(frozen=True, kw_only=True)
class EncryptedKind(Generic[S]):
    """A kind of state with a ciphertext.

    `sealed` returns the ciphertext of a state, or None if it has none. `bound` is what the ciphertext belongs to, and
    `purpose` what it is for (see `encryption.seal`).
    """

    kind: Kind[S]
    sealed: Callable[[S], Sealed | None]
    bound: Callable[[S], bytes]
    purpose: bytes

    def rotation(self) -> JobKind[RotateKeys]:
        """Return the kind of job."""
        return JobKind(
            action="operate", parameters=RotateKeys, count=self._count, page=self._page, work=self._work
        )

    async def count_by_key(self, database: Database) -> dict[str, int]:
        """Return the number of ciphertexts under each key. Raises Outage."""
        statement = (
            f"SELECT key_id, count(*) {self._from} WHERE key_id IS NOT NULL GROUP BY key_id ORDER BY key_id"
        )
        return {row[0]: row[1] for row in await database.fetch(statement)}

    @property
    def _from(self) -> str:
        return f"FROM {self.kind.table.name}"

    async def _count(self, tools: Tools) -> int:
        statement = f"SELECT count(*) {self._from} WHERE key_id <> $1"
        found: int = (await tools.database.fetch(statement, tools.parameters.key_id))[0][0]
        return found

    async def _page(self, tools: Tools, after: str | None, limit: int) -> Sequence[Item]:
        key, wanted = self.kind.key, tools.parameters.key_id
        begin = "" if after is None else f"AND {key} > $3"
        statement = f"SELECT {key} {self._from} WHERE key_id <> $1 {begin} ORDER BY {key} LIMIT $2"
        last = () if after is None else (self.kind.parse_key(after),)
        rows = await tools.database.fetch(statement, wanted, limit, *last)
        return [Item(str(row[0]), str(row[0])) for row in rows]

    async def _work(self, tools: Tools, items: Sequence[Item]) -> Sequence[Work]:
        """Encrypt again what is stored now. Refused with the code of what cannot be decrypted."""
        keys = [self.kind.parse_key(item.name) for item in items]
        rows = await tools.database.fetch(self.kind.load_sql, keys)
        states = [self.kind.from_row(row).state for row in rows]
        found = {str(getattr(state, self.kind.key)): state for state in states}
        keyring = tools.service.keyring()
        return [self._replacement(keyring, found.get(item.name), tools, item) for item in items]

    def _replacement(self, keyring: Keyring | None, state: S | None, tools: Tools, item: Item) -> Work:
        sealed = None if state is None else self.sealed(state)
        if state is None or sealed is None:
            return Unchanged()  # erased meanwhile
        about = {"purpose": self.purpose, "bound": self.bound(state)}
        try:
            plain = unseal(keyring, sealed, **about)
            again = seal(keyring.aimed_at(tools.parameters.key_id) if keyring else None, plain, **about)
        except Unreadable as error:
            return Refused(error.code, str(error))
        return ReplaceCiphertext(
            entity_id=self.kind.parse_key(item.name),
            subject="",
            caller=tools.caller,
            former_key_id=sealed.key_id,
            former=sealed.content,
            key_id=again.key_id,
            content=again.content,
        )
