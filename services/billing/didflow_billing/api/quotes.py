"""The answer of a quote: what an action would do to each DID."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, Self, get_args
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_billing.domain.effect import CallsEffect
from didflow_billing.domain.quote import Quote
from didflow_billing.domain.quote_messages import message_of, message_of_instead
from didflow_billing.domain.term import Term
from didflow_chassis.decision import Refused, Unchanged
from didflow_contracts.money import Total
from didflow_contracts.vocabulary import TermState

Outcome = Literal["done", "unchanged", "refused"]


class QuotedTerm(BaseModel):
    """A term before or after an action."""

    state: TermState
    cycles_left: int | None = Field(description="Renewals left; null means no limit.")
    billing_period: int | None = Field(description="Months of a period.")
    expires_at: datetime | None = Field(description="Until when the term is paid.")
    aging_until: datetime | None = Field(
        description="When the DID is removed for good; null while time is paid."
    )


class QuotedCharge(Total):
    """What an action charges, and the period that it pays for."""

    period_start: datetime | None
    period_end: datetime | None


class Instead(BaseModel):
    """The other way to end a term: with the paid period. It stops no call before that and charges nothing more."""

    action: Literal["set-cycles"] = "set-cycles"
    billing_cycles: Literal[0] = 0
    outcome: Outcome = Field(description="`unchanged`: the cycles are 0 already.")
    calls_stop_at: datetime | None
    removed_at: datetime | None
    message: str = Field(description="The same in plain English.")

    @classmethod
    def of(cls, quote: Quote) -> Self:
        """Return the alternative that a quote of a cancellation names."""
        return cls(
            outcome=_outcome(quote),
            calls_stop_at=quote.effect and quote.effect.calls_stop_at,
            removed_at=quote.effect and quote.effect.removed_at,
            message=message_of_instead(quote),
        )


class QuoteResult(BaseModel):
    """What an action would do to one DID.

    The instants follow if nothing else is done. Each is exclusive: at `calls_stop_at`, calls have stopped.
    If the action is refused or changes nothing, the fields describe what follows from the term as it is. If the DID is
    not found, they are null.
    """

    did: str = Field(description="As the caller wrote it.")
    did_id: UUID | None = None
    number: str | None = None
    outcome: Outcome
    code: str | None = Field(default=None, description="Why the action would be refused.")
    message: str | None = Field(default=None, description="What the action would do, in plain English.")
    before: QuotedTerm | None = Field(default=None, description="The term now.")
    after: QuotedTerm | None = Field(default=None, description="The term after the action.")
    calls: CallsEffect | None = Field(
        default=None,
        description="What the term does to calls and messages. `go_on`: nothing stops them; `stop_later`: they go on "
        "until `calls_stop_at`; `start_now`: they come back, until `calls_stop_at` if it is set; `stop_now`: the "
        "action stops them; `stopped`: they are stopped and stay so. Calls also need a registration, a carrier and a "
        "target.",
    )
    calls_stop_at: datetime | None = Field(
        default=None,
        description="When calls and messages stop: now for `cancel`, the end of the paid period for `set-cycles` 0. "
        "Null if they go on without end, or are stopped already.",
    )
    removed: bool = Field(default=False, description="True if the action removes the DID at once, for good.")
    removed_at: datetime | None = Field(
        default=None, description="When the DID is removed for good. Null if nothing will remove it."
    )
    restore_free_until: datetime | None = Field(
        default=None, description="Until when a canceled term can be restored free of charge."
    )
    restore_until: datetime | None = Field(
        default=None,
        description="Until when a canceled term can be restored at all. After `restore_free_until`, a restoration "
        "needs a `billing_period` and charges a renewal.",
    )
    charge: QuotedCharge | None = None
    refund: Total | None = Field(default=None, description="The sum of all refunds, as a positive amount.")
    instead: Instead | None = Field(
        default=None,
        description="For a `cancel` that gives up paid time: `set-cycles` 0 ends the term with the paid period.",
    )

    @classmethod
    def of(cls, did: str, quote: Quote) -> Self:
        """Return the result for one DID."""
        decision, term = quote.decision, quote.before
        return cls(
            did=did,
            did_id=term and term.did_id,
            number=term and term.number,
            outcome=_outcome(quote),
            code=decision.code if isinstance(decision, Refused) else None,
            message=message_of(quote),
            before=_quoted(quote.before),
            after=_quoted(quote.after),
            **(vars(quote.effect) if quote.effect else {}),
            charge=_charge(quote),
            refund=quote.refund,
            instead=Instead.of(quote.instead) if quote.instead else None,
        )


class QuoteResponse(BaseModel):
    """What an action would do to each DID, and the totals of charges and refunds in each currency."""

    at: datetime = Field(description="The instant that the quote is for.")
    results: list[QuoteResult] = Field(description="In the order of the request.")
    done: int
    unchanged: int
    refused: int
    calls_stop_now: int = Field(description="How many DIDs lose calls and messages at once.")
    removed: int = Field(
        description="How many DIDs are removed at once, for good. They are in `calls_stop_now`, too."
    )
    charges: list[Total]
    refunds: list[Total]

    @classmethod
    def of(cls, results: list[QuoteResult], at: datetime) -> Self:
        """Return the response, with its counts and totals."""
        return cls(
            at=at,
            results=results,
            **counts_of(results),
            calls_stop_now=sum(result.calls == "stop_now" for result in results),
            removed=sum(result.removed for result in results),
            charges=totals_of(result.charge for result in results),
            refunds=totals_of(result.refund for result in results),
        )


def _outcome(quote: Quote) -> Outcome:
    if isinstance(quote.decision, Refused):
        return "refused"
    return "unchanged" if isinstance(quote.decision, Unchanged) else "done"


def _quoted(term: Term | None) -> QuotedTerm | None:
    return None if term is None else QuotedTerm.model_validate(term, from_attributes=True)


def _charge(quote: Quote) -> QuotedCharge | None:
    """Return the charge. An action charges at most one period."""
    entry = next((entry for entry in quote.entries if entry.kind != "refund"), None)
    if entry is None or quote.charge is None:
        return None
    return QuotedCharge(
        amount=quote.charge.amount,
        currency=quote.charge.currency,
        period_start=entry.period_start,
        period_end=entry.period_end,
    )


def counts_of(results: Iterable[Any]) -> dict[str, int]:
    """Return how many results of quotes have each outcome."""
    found = Counter(result.outcome for result in results)
    return {name: found[name] for name in get_args(Outcome)}


def totals_of(amounts: Iterable[Total | None]) -> list[Total]:
    """Return the total of each currency, without what is None."""
    return list(Total.of(total for total in amounts if total is not None))
