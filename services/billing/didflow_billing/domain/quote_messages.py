"""Quotes in plain English. The fields of a quote say the same for programs."""

from datetime import datetime

from didflow_billing.domain.commands import Cancel, Renew, Restore, SetCycles
from didflow_billing.domain.effect import ends_at, is_uncompleted
from didflow_billing.domain.quote import Quote
from didflow_billing.domain.term import Term, is_running
from didflow_chassis.decision import Refused, Unchanged


def message_of(quote: Quote) -> str:
    """Return what the action would do, in one to three sentences."""
    decision = quote.decision
    if isinstance(decision, Refused):
        return decision.message
    if quote.is_repeat:
        return "Nothing more changes: this request names the DID more than once."
    if isinstance(decision, Unchanged):
        return _unchanged(quote)
    match quote.command:
        case SetCycles():
            return f"Nothing is charged. {_next(quote.after)}"
        case Renew() | Restore():
            return " ".join(filter(None, (_resumed(quote), _paid(quote), _next(quote.after))))
        case Cancel():
            return _canceled(quote)
    raise TypeError(f"No message for {type(quote.command).__name__}.")


def message_of_instead(quote: Quote) -> str:
    """Return what ending with the paid period means, for someone who is about to cancel."""
    if isinstance(quote.decision, Unchanged):
        return f"Or leave the term as it is. {_next(quote.after)}"
    return f"Or set the cycles to 0. {_next(quote.after)}"


def _canceled(quote: Quote) -> str:
    after, effect = quote.after, quote.effect
    if after is None or effect is None:
        raise TypeError("A decided quote has a term.")
    if effect.removed:
        money = f"{_amount(quote)} is refunded" if quote.refund else "nothing is refunded"
        return f"The number is removed now, and {money}. This cannot be undone."
    first = "The term is canceled now" if is_uncompleted(after) else "Calls stop now"
    return (
        f"{first}, although time is paid until {_at(after.expires_at)}. Nothing is refunded. "
        f"Until then you can restore it free of charge, and until {_at(effect.restore_until)} with a renewal. "
        f"Then the number is removed."
    )


def _unchanged(quote: Quote) -> str:
    if quote.after is not None and quote.after.state == "canceled":
        return "Nothing changes: the term is already canceled."
    return f"Nothing changes: the cycles are already set like this. {_next(quote.after)}"


def _resumed(quote: Quote) -> str:
    """Return that calls start again, if they do."""
    if quote.effect is None or quote.effect.calls != "start_now":
        return ""
    what = "The term runs" if quote.after and is_uncompleted(quote.after) else "Calls start"
    free = "" if quote.entries else ", free of charge"
    return f"{what} again now{free}."


def _paid(quote: Quote) -> str:
    """Return what is charged, and the period that it is for."""
    entry = next(iter(quote.entries), None)
    if entry is None or quote.charge is None:
        return ""
    price = f"{quote.charge.amount} {quote.charge.currency}"
    return f"{price} is charged for the time from {_at(entry.period_start)} to {_at(entry.period_end)}."


def _next(term: Term | None) -> str:
    """Return what happens to a running term if nothing else is done."""
    if term is None or not is_running(term):
        return ""
    left = term.cycles_left
    if left == 0 and not is_uncompleted(term):
        until = _at(term.expires_at)
        return f"Calls go on until the paid period ends, at {until}, and then stop. The term does not renew by itself."
    then = (
        "then renews by itself, without limit"
        if left is None
        else "does not renew by itself"
        if left == 0
        else f"then renews by itself {'once' if left == 1 else f'{left} times'}"
    )
    return f"The term is paid until {_at(term.expires_at)} and {then}.{_end(term)}"


def _end(term: Term) -> str:
    """Return how a running term ends if nothing else is done; nothing if it does not end."""
    end = ends_at(term)
    if is_uncompleted(term):
        return (
            f" If the registration is not completed, the number is removed by {_at(end)} at the latest, and everything "
            "that it cost is refunded."
        )
    return "" if end is None else f" Calls go on until {_at(end)} and then stop."


def _amount(quote: Quote) -> str:
    return f"{quote.refund.amount} {quote.refund.currency}" if quote.refund else ""


def _at(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant else ""
