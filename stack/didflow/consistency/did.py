"""One DID in all services, and whether they agree about it: who knows it, its number, its payer and its end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from didflow.consistency.axes import differing_axes
from didflow.consistency.codes import Disagreement
from didflow.consistency.ledger import wrong_entries
from didflow.consistency.rows import DidRows


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """Whether a DID has ended in a service, as that service stores it."""

    ended: bool
    how: str


def disagreements_of(did: DidRows, services: frozenset[str]) -> Iterator[Disagreement]:
    """Compare one DID. `services` are those whose databases are checked."""
    known = did.states()
    missing = sorted(services - known.keys())
    if missing and known:
        yield _disagreement(did, "did_unknown", ", ".join(missing), f"known to {', '.join(known)}")
    if not known:
        yield _disagreement(
            did, "entries_missing", "billing", "the ledger has entries of a DID without a term", certain=True
        )
        return
    numbers = {name: _number(state) for name, state in known.items()}
    if len(set(numbers.values())) > 1:
        yield _disagreement(did, "number_differs", ", ".join(numbers), str(numbers))
    yield from _differing_payer(did)
    yield from _differing_end(did)
    yield from differing_axes(did)
    if did.billing is not None:
        yield from wrong_entries(did, did.billing.state, did.entries)
        yield from _refused(did)


def _differing_payer(did: DidRows) -> Iterator[Disagreement]:
    if did.inventory is None or did.billing is None:
        return
    named, charged = did.inventory.state.holding.payer, did.billing.state.payer
    if named != charged:
        yield _disagreement(
            did, "payer_differs", "billing", f"billing charges {charged}, inventory has {named}"
        )


def _differing_end(did: DidRows) -> Iterator[Disagreement]:
    ends = _ends(did)
    if len({end.ended for end in ends.values()}) > 1:
        live = ", ".join(name for name, end in ends.items() if not end.ended)
        how = ", ".join(f"{name}: {end.how}" for name, end in ends.items())
        yield _disagreement(did, "end_differs", live, how)


def _refused(did: DidRows) -> Iterator[Disagreement]:
    """The entries of a refused purchase add up to zero. Source: spec events, purchase.refused."""
    if did.inventory is None or did.inventory.state.holding.stock != "refused":
        return
    left = sum((entry.amount for entry in did.entries), Decimal(0))
    if left:
        yield _disagreement(did, "refusal_not_refunded", "billing", f"{left} is left of a refused purchase")


def _ends(did: DidRows) -> Mapping[str, _End]:
    found: dict[str, _End] = {}
    if did.inventory is not None:
        holding = did.inventory.state.holding
        found["inventory"] = _End(ended=not holding.is_live, how=holding.stock)
    if did.verification is not None:
        ended = did.verification.state.ended
        found["verification"] = _End(ended=ended is not None, how=ended or "live")
    if did.billing is not None:
        state = did.billing.state.state
        found["billing"] = _End(ended=state == "closed", how=state)
    if did.provisioning is not None:
        reason = did.provisioning.state.end_reason
        found["provisioning"] = _End(ended=reason is not None, how=reason or "live")
    return found


def _number(state: Any) -> str:
    number: str = state.holding.number if hasattr(state, "holding") else state.number
    return number


def _disagreement(
    did: DidRows, code: str, service: str, detail: str, *, certain: bool = False
) -> Disagreement:
    return Disagreement(
        code=code, did_id=did.did_id, number=did.number, service=service, detail=detail, certain=certain
    )
