"""What one evaluation looks at, as one hashable value: the same submission has the same findings."""

from datetime import date

from msgspec import Struct

from didflow_verification.domain.catalogue.rules import Requirement
from didflow_verification.domain.details.identity import Address, Document, Identity


class Submission(Struct, frozen=True, kw_only=True):
    """Details against a requirement: `country` (ISO-2) and `places` (folded names) are the number's.

    `places` is empty where the area does not matter or nobody can name it; `day` is today, UTC.
    """

    requirement: Requirement
    identity: Identity
    address: Address | None
    documents: tuple[Document, ...]
    country: str
    places: frozenset[str]
    day: date

    def has(self, path: str) -> bool:
        """Whether something is there: `identity.<field>` or `document.<kind>`."""
        where, _, name = path.partition(".")
        if where == "identity":
            return self.identity.person.get(name) is not None
        return any(document.kind == name for document in self.documents)
