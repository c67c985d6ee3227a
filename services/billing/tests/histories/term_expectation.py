"""What the specification expects of one DID: its term, its ledger and what is published, in plain conditions.

It is written from spec lifecycle, Term, and uses nothing of billing's domain. So a rule that is wrong in the domain
is not wrong here as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final, NamedTuple
from uuid import UUID

from term_calendar import cost, months_later, negative

from didflow_contracts.envelope import Event

AGING: Final = timedelta(days=34)
FREE_DAY: Final = timedelta(days=1)
MOST_FREE_DAYS: Final = 30
MOST: Final = 1_000_000_000
RUNNING: Final = ("active", "delayed_removal")


@dataclass(kw_only=True)
class Entry:
    """One expected entry of the ledger. `reverses` is the position of the charge that a refund reverses."""

    position: int
    kind: str
    amount: str
    currency: str
    start: datetime | None
    end: datetime | None
    reverses: int | None
    at: datetime
    payer: str
    order_id: str | None


@dataclass(kw_only=True)
class Result:
    """What becomes of a message: done, unchanged, early, repeat, or the code of its refusal, and what it posts."""

    outcome: str
    entries: list[Entry] = field(default_factory=list)

    def sum_of(self, *, refunds: bool) -> Fraction:
        """Return what is charged, or what is refunded, as an amount that is not negative."""
        amounts = (Fraction(each.amount) for each in self.entries if (each.kind == "refund") is refunds)
        return abs(sum(amounts, Fraction(0)))


class ListedPrice(NamedTuple):
    """A row of the price list."""

    account: str
    country: str
    number_type: str
    since: datetime
    currency: str
    setup: str
    recurring: str


def listed_price(rows: Sequence[ListedPrice], data: Any, at: datetime) -> ListedPrice | None:
    """Return the row of the nearest account at or above the buyer, the most exact and then the latest of them."""
    country = "GB" if data.number.startswith("+44") else "IE"
    fitting = [
        row
        for row in rows
        if f"{data.account}/".startswith(f"{row.account}/")
        and row.country in (country, "*")
        and row.number_type in (data.number_type, "*")
        and row.since <= at
    ]
    order = sorted(fitting, key=lambda r: (len(r.account), r.country != "*", r.number_type != "*", r.since))
    return order[-1] if order else None


@dataclass
class ExpectedTerm:
    """The expected term of a DID. `state` is None until billing knows the DID. `prices` is the price list."""

    did_id: UUID
    number: str
    prices: Sequence[ListedPrice] = ()
    state: str | None = None
    account: str = ""
    payer: str = ""
    order_id: str | None = None
    price: Any = None
    months: int | None = None
    cycles: int | None = None
    purchased_at: datetime | None = None
    period: int = 0
    start: datetime | None = None
    end: datetime | None = None
    aging_until: datetime | None = None
    anchor: datetime | None = None
    from_anchor: int = 0
    free_days: int = 0
    registration: str | None = None
    completed: bool = False
    accepted: bool = False
    last: dict[str, int] = field(default_factory=dict)
    ledger: list[Entry] = field(default_factory=list)
    published: dict[str, list[Any]] = field(default_factory=dict)
    early: list[Event[Any]] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    changed: datetime | None = None
    reminded: list[tuple[datetime, int]] = field(default_factory=list)

    # Messages.

    def receive(self, event: Event[Any], now: datetime) -> Result:
        """Receive an event at the service's time `now`."""
        if event.id in self.known:
            return Result(outcome="repeat")
        self.known.add(event.id)
        return self._receive(event, now)

    def _receive(self, event: Event[Any], now: datetime) -> Result:
        self.settle(min(event.time, now))
        before = len(self.ledger)
        name = event.data.topic.split(".")[0] if event.data.topic.startswith("verif") else event.data.topic
        outcome = getattr(self, "on_" + name.replace(".", "_"))(event, now)
        if outcome == "early":
            self.early.append(event)
        elif outcome not in ("done", "unchanged"):
            self.publish("message.refused", now, code=outcome, refused_id=event.id)
        result = Result(outcome=outcome, entries=self.ledger[before:])
        if outcome == "done":
            waiting, self.early = self.early, []
            for each in waiting:
                self._receive(each, now)
        return result

    def command(self, name: str, caller: Any, now: datetime, **body: Any) -> Result:
        """Decide a command at `now`."""
        self.settle(now)
        before = len(self.ledger)
        outcome = self._command(name, caller, now, body)
        if outcome == "done":
            self._note_change(now)
        return Result(outcome=outcome, entries=self.ledger[before:])

    def _command(self, name: str, caller: Any, now: datetime, body: dict[str, Any]) -> str:
        reaches = caller.role == "operator" or f"{self.account}/".startswith(f"{caller.account}/")
        if self.state in (None, "closed") or not reaches:
            return "not_found"
        if self.state == "none":
            return "no_term"
        return str(getattr(self, name)(now, **body))

    # Time.

    def due(self) -> datetime | None:
        """Return when something is due. Nothing is due before verification has answered."""
        if self.registration is None or self.state in (None, "none", "closed"):
            return None
        reminder = self._reminder()
        return reminder[0] if reminder else self.aging_until or self.end

    def settle(self, until: datetime) -> None:
        """Settle everything that is due by then, each at its own instant."""
        while (at := self.due()) is not None and at <= until:
            self._settle_one(at)

    def left_alone(self, until: datetime) -> "ExpectedTerm":
        """Return the term as it is at a later instant if nothing else is done."""
        copy = replace(
            self, ledger=[*self.ledger], published={}, early=[], known=set(), reminded=[*self.reminded]
        )
        copy.settle(until)
        return copy

    def _settle_one(self, at: datetime) -> None:
        reminder, ending = self._reminder(), self._ending()
        self._note_change(at)
        if reminder and ending:
            self.reminded.append((ending[0], reminder[1]))
            self.publish("term.expiring", at, ends_at=ending[0], days=reminder[1], reason=ending[1])
        elif self.aging_until is not None:
            self._remove("aged_out", at, refunded=False)
        elif self.state == "canceled":
            self._age(at, "canceled")
        elif not self.completed and self.registration == "pending" and self.free_days < MOST_FREE_DAYS:
            self.free_days += 1
            self.end = self.anchor = at + FREE_DAY
            self.from_anchor = 0
            self._end_period(at, self.period, "extended", "extended")
        elif not self.completed:
            self.state = "closed"
            self._cycle_expired(at, self.period, "removed", "closed")
            self._remove("registration_not_completed", at, refunded=True)
        elif self.cycles == 0:
            self._age(at, "aging")
        else:
            self._next_period(at)

    def _note_change(self, at: datetime) -> None:
        self.changed = max(at, self.changed or at)

    def _ending(self) -> tuple[datetime, str] | None:
        """Return when and why the term ends if nothing else happens. None if its end does not end it."""
        if self.aging_until is not None:
            return self.aging_until, "canceled" if self.state == "canceled" else "aging"
        if self.state not in RUNNING or self.end is None:
            return None
        if not self.completed:
            is_last = self.registration != "pending" or self.free_days == MOST_FREE_DAYS
            return (self.end, "registration_not_completed") if is_last else None
        return (self.end, "cycles_used_up") if self.cycles == 0 else None

    def _reminder(self) -> tuple[datetime, int] | None:
        """Return the next reminder, and its days. Of those that are late when the end is known, only the nearest."""
        ending = self._ending()
        if ending is None or not self.accepted or self.changed is None:
            return None
        end, reason = ending
        sent = [days for about, days in self.reminded if about == end]
        steps = (7, 1) if reason in ("canceled", "aging") else (30, 7, 1)
        left = [days for days in steps if days < min(sent, default=99)]
        late = [days for days in left if end - timedelta(days=days) <= self.changed]
        if late:
            return (self.changed, late[-1]) if self.changed < end else None
        return (end - timedelta(days=left[0]), left[0]) if left else None

    def _age(self, at: datetime, state: str) -> None:
        self.state, self.aging_until = state, at + AGING
        self._end_period(at, self.period, "expired", "expired")

    def _next_period(self, at: datetime) -> None:
        ended, self.period = self.period, self.period + 1
        self.cycles = None if self.cycles is None else self.cycles - 1
        self._longer()
        self.start = at
        self._charge("renewal", at, at)
        is_last = self.cycles == 0
        self._run()
        outcome, reason = ("delayed_removal", "delayed") if is_last else ("renewed", "renewed")
        self._end_period(at, ended, outcome, reason)

    # Events.

    def on_did_purchased(self, event: Event[Any], now: datetime) -> str:
        """Start the term at the purchase."""
        data, is_new = event.data, self.state is None
        if not is_new:
            refused = self._contradicts(event)
            if refused or self.state == "closed" or self.purchased_at is not None:
                return refused or "unchanged"
        if not self.accepted:
            self.account = data.account
        self.payer, self.order_id = data.account, data.order_id
        self.purchased_at = data.purchased_at or event.time
        if data.price is None and data.acquired == "purchased":
            listed = listed_price(self.prices, data, self.purchased_at)
            if listed is None:
                self._remove("no_price", now, refunded=False)
                return "done"
            self.price = listed
        elif data.price is not None:
            price = data.price
            self.price = ListedPrice(
                "",
                "",
                "",
                now,
                price.setup.currency,
                str(price.setup.amount),
                str(price.recurring.amount),
            )
        else:
            self.state = "none"
            if is_new:
                self._changed(now, "started")
            return "done"
        self.cycles = data.billing_cycles
        self._new_period(data.billing_period, self.purchased_at)
        self._note_change(event.time)
        self._changed(now, "started")
        before = len(self.ledger)
        self._post("setup", cost(self.price.setup, self.price.currency), now)
        self._charge("recurring", now, self.start)
        for entry in self.ledger[before:]:
            entry.at = self.purchased_at
        return "done"

    def on_did_porting_started(self, event: Event[Any], now: datetime) -> str:
        """Hold a term without a price."""
        if self.state is not None:
            return self._contradicts(event) or "unchanged"
        self.state, self.account, self.payer = "none", event.data.account, event.data.account
        self.order_id = event.data.order_id
        self._changed(now, "started")
        return "done"

    def _contradicts(self, event: Event[Any]) -> str | None:
        is_outside = not event.source.startswith("/didflow/")
        if is_outside and not f"{self.account}/".startswith(f"{event.data.account}/"):
            return "not_yours"
        return None if event.data.number == self.number else "did_id_taken"

    def on_verification(self, event: Event[Any], now: datetime) -> str:
        """Note the registration, if it is newer. Once completed is completed for good."""
        if self.state is None:
            return "early"
        registration, before = event.data.registration, self.completed
        self.completed = before or registration in ("approved", "not_required", "expired")
        is_newer = self._is_newer("registration", event)
        if not is_newer and self.completed == before:
            return "unchanged"
        self.registration = registration if is_newer else self.registration
        self._note_change(event.time)
        return "done"

    def on_did_changed(self, event: Event[Any], now: datetime) -> str:
        """Note the holder, if this is newer, and that inventory gave the number."""
        if self.state is None:
            return "early"
        if not self._is_newer("stock", event):
            return "unchanged"
        self._note_change(event.time)
        self.account = event.data.account
        self.accepted = self.accepted or event.data.stock in ("assigned", "blocked", "on_hold")
        return "done"

    def _is_newer(self, axis: str, event: Event[Any]) -> bool:
        if event.sequence is not None and event.sequence <= self.last.get(axis, 0):
            return False
        self.last[axis] = event.sequence or 0
        return True

    def on_purchase_refused(self, event: Event[Any], now: datetime) -> str:
        """Refund everything and close, unless inventory has given the number."""
        if self.state is None:
            return "early"
        if self.state == "closed" and not self._refundable():
            return "unchanged"
        if self.accepted:
            return "purchase_accepted"
        was_closed = self.state == "closed"
        self._refund(now, event.time)
        if not was_closed:
            self._close(now)
        self._note_change(event.time)
        return "done"

    def on_did_withdrawn(self, event: Event[Any], now: datetime) -> str:
        """Close without refund. A number that was never ported in is paid back."""
        if self.state is None:
            return "early"
        if self.state == "closed":
            return "unchanged"
        reason = event.data.reason
        never_had = reason == "porting_failed" and bool(self._refundable())
        self._remove(reason, now, refunded=never_had, of=event.time)
        self._note_change(event.time)
        return "done"

    # Commands.

    def set_cycles(self, now: datetime, billing_cycles: int | None) -> str:
        """Set the cycles of a running term."""
        if self.state not in RUNNING:
            return "term_ended"
        if billing_cycles is not None and not 0 <= billing_cycles <= 999:
            return "out_of_range"
        if billing_cycles == self.cycles:
            return "unchanged"
        self.cycles = billing_cycles
        self._run()
        self._changed(now, "cycles_set")
        return "done"

    def renew(self, now: datetime, billing_period: int) -> str:
        """Pay for a period: from the end if time is left, else from now."""
        if self.state == "canceled":
            return "restore_first"
        if self.state == "aging":
            return self._start_again(now, billing_period, "renewed")
        assert self.anchor is not None
        if self._is_too_much(billing_period, self.anchor, self.from_anchor):
            return "out_of_range"
        paid_from, self.months, self.free_days = self.end, billing_period, 0
        self._longer()
        self._changed(now, "renewed")
        self._charge("renewal", now, paid_from)
        return "done"

    def cancel(self, now: datetime, *, remove: bool) -> str:
        """End the term, or the DID if its registration was never completed."""
        if self.registration is None:
            return "not_ready"
        is_pending = not self.completed and self.registration == "pending"
        if self.state == "canceled" and not (remove and is_pending):
            return "unchanged"
        if self.state not in RUNNING:
            return "term_ended"
        if not self.completed and (remove or not is_pending):
            self._remove("canceled_awaiting_registration", now, refunded=not is_pending)
            return "done"
        self.state = "canceled"
        self._changed(now, "canceled")
        return "done"

    def restore(self, now: datetime, billing_period: int | None) -> str:
        """Take a cancellation back. Without time left, it has to be paid."""
        if self.state != "canceled":
            return "not_canceled"
        if self.aging_until is None:
            self._run()
            self._changed(now, "restored")
            return "done"
        if billing_period is None:
            return "renewal_needed"
        return self._start_again(now, billing_period, "restored")

    # What they have in common.

    def _start_again(self, now: datetime, months: int, reason: str) -> str:
        if self._is_too_much(months, now, 0):
            return "out_of_range"
        self._new_period(months, now)
        self._changed(now, reason)
        self._charge("renewal", now, now)
        return "done"

    def _is_too_much(self, months: int, anchor: datetime, from_anchor: int) -> bool:
        return (
            Fraction(cost(self.price.recurring, self.price.currency, months)) > MOST
            or months_later(anchor, from_anchor + months).year >= 2200
        )

    def _new_period(self, months: int, start: datetime) -> None:
        self.start = self.anchor = start
        self.months, self.from_anchor, self.free_days = months, 0, 0
        self.period += 1
        self.aging_until = None
        self._longer()
        self._run()

    def _longer(self) -> None:
        """Move the end by the months of a period, on the calendar of the anchor."""
        assert self.anchor is not None
        assert self.months is not None
        self.from_anchor += self.months
        self.free_days = 0
        self.end = months_later(self.anchor, self.from_anchor)

    def _run(self) -> None:
        self.state = "delayed_removal" if self.cycles == 0 else "active"

    def _remove(self, reason: str, at: datetime, *, refunded: bool, of: datetime | None = None) -> None:
        if refunded:
            self._refund(at, of or at)
        self._close(at)
        self.publish("did.removed", at, reason=reason, refunded=refunded)

    def _close(self, at: datetime) -> None:
        self.state, self.aging_until = "closed", None
        self._changed(at, "closed")

    # The ledger.

    def _charge(self, kind: str, at: datetime, start: datetime | None) -> None:
        amount = cost(self.price.recurring, self.price.currency, self.months or 0)
        self._post(kind, amount, at, start, self.end)

    def _post(  # noqa: PLR0917 - the columns of an entry, in their order
        self,
        kind: str,
        amount: str,
        at: datetime,
        start: datetime | None = None,
        end: datetime | None = None,
        reverses: int | None = None,
    ) -> None:
        entry = Entry(
            position=len(self.ledger) + 1,
            kind=kind,
            amount=amount,
            currency=self.price.currency,
            start=start,
            end=end,
            reverses=reverses,
            at=at,
            payer=self.payer,
            order_id=self.order_id,
        )
        self.ledger.append(entry)
        self.publish("ledger.posted", at, position=entry.position)

    def _refundable(self) -> list[Entry]:
        """Return the charges that were not reversed. None can be, once the purchase is final."""
        reversed_ = {each.reverses for each in self.ledger}
        charges = [e for e in self.ledger if e.kind != "refund" and e.position not in reversed_]
        return [] if self.completed and self.accepted else charges

    def _refund(self, now: datetime, of: datetime) -> None:
        """Reverse all charges for the instant `of` that ends the DID, but for none before a charge."""
        charges = self._refundable()
        for each in charges:
            self._post("refund", negative(each.amount), now, each.start, each.end, each.position)
            self.ledger[-1].at = max(of, *(charge.at for charge in charges))

    # What is published.

    def publish(self, topic: str, at: datetime, **values: Any) -> None:
        """Note an event that must be published."""
        account = {"account": self.account, "number": self.number}
        self.published.setdefault(topic, []).append(account | values | {"at": at})

    def axis(self) -> dict[str, Any]:
        """Return the term as its events carry it."""
        return {
            "state": self.state,
            "cycles_left": self.cycles,
            "billing_period": self.months,
            "period_start": self.start,
            "expires_at": self.end,
            "aging_until": self.aging_until,
        }

    def _changed(self, at: datetime, reason: str) -> None:
        self.publish("term.changed", at, **self.axis(), reason=reason)

    def _cycle_expired(self, at: datetime, period: int, outcome: str, reason: str) -> None:
        values = {"period": period, "outcome": outcome, "reason": reason, "expired_at": at}
        self.publish("cycle.expired", at, **self.axis(), **values)

    def _end_period(self, at: datetime, period: int, outcome: str, reason: str) -> None:
        self._cycle_expired(at, period, outcome, reason)
        self._changed(at, reason)
