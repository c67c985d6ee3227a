"""Random lives of numbers in stock: what must always hold, whatever is done by whom and when."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from harness.folded_history import filled_fields, fold_all

from didflow_chassis.decision import Caller
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.stock.commands import (
    AddNumber,
    DeleteNumber,
    EditNumber,
    MoveNumber,
    StockFields,
)
from didflow_inventory.domain.stock.handout import HandOut
from didflow_inventory.domain.stock.number import Number
from didflow_inventory.domain.stock.reservation import (
    CancelReservation,
    HeldNumbers,
    Reservation,
    Reserve,
)
from didflow_inventory.domain.stock.transitions import as_of

NUMBERS = [f"+353196090{n:02}" for n in range(10, 16)]
ACCOUNTS = ("master", "master/acme", "master/acme/shop", "other")
STEPS = 250
OFTEN = {"do_add": 4, "do_reserve": 4, "do_purchase": 2, "do_hand_out": 2, "do_remove": 2}
"""How often something is done, compared with everything else."""


class Life:
    """One random life of some numbers."""

    def __init__(self, stage: Any, make: Any, seed: int) -> None:
        self.stage = stage
        self.make = make
        self.random = random.Random(seed)
        self.reservations: list[UUID] = []
        self.made = 0

    def step(self) -> None:
        """Do one thing."""
        names = [name for name in dir(self) if name.startswith("do_")]
        (name,) = self.random.choices(names, [OFTEN.get(name, 1) for name in names])
        getattr(self, name)()

    def do_add(self) -> None:
        """Add a number."""
        status = self._of("in_stock", "in_stock", "in_stock", "in_stock", "reserved", "archived")
        self._about(AddNumber, fields=StockFields(status=status, tag=self._of("a", None)))

    def do_edit(self) -> None:
        """Edit a number."""
        self._about(
            EditNumber, changes={"tag": self._of("a", "b", None), "features": self._of(("sms_in",), ())}
        )

    def do_move(self) -> None:
        """Reserve, archive or release a number."""
        self._about(MoveNumber, to=self._of("in_stock", "reserved", "archived"))

    def do_delete(self) -> None:
        """Delete a number."""
        self._about(DeleteNumber)

    def do_reserve(self) -> None:
        """Reserve some numbers."""
        numbers = tuple(self.random.sample(NUMBERS, self.random.randint(1, 3)))
        self.reservations.append(self._new_id())
        self.stage.decide(
            Reserve(
                entity_id=self.reservations[-1],
                subject="",
                caller=self._caller(),
                numbers=numbers,
                count=self._of(1, len(numbers)),
                minutes=self._of(1, 30, 60),
            )
        )

    def do_cancel(self) -> None:
        """Cancel a reservation."""
        if self.reservations:
            self.stage.decide(
                CancelReservation(
                    entity_id=self._of(*self.reservations[-3:]), subject="", caller=self._caller()
                )
            )

    def do_hand_out(self) -> None:
        """Hand a number out."""
        self._about(HandOut, account=self._of(*ACCOUNTS))

    def do_purchase(self) -> None:
        """Purchase a number, over HTTP or by an event: any number, or one that the account holds."""
        held = [(each.number, each.held_for) for each in self.stage.states(Number) if each.held_for]
        number, account = self._of((self._of(*NUMBERS), self._of(*ACCOUNTS)), *held)
        did_id = self._new_id()
        data = {"number": number, "account": account, "did_id": did_id, "order_id": str(did_id)}
        by = Caller(subject="ann", account=account, role="service")
        self.stage.decide(self._of(self.make.purchase(by, **data), self.make.purchased(**data)))

    def do_remove(self) -> None:
        """Remove a DID, and perhaps let its carrier release it."""
        live = [did.holding for did in self.stage.states(Did) if did.holding.is_live]
        if live:
            holding = self._of(*live)
            about = {"did_id": holding.did_id, "number": holding.number, "account": holding.account}
            reason = self._of("aged_out", "returned", "ported_out", "hold_ended")
            self.stage.decide(self.make.removed(reason=reason, **about))
            self.stage.decide(self.make.routing("released", 3, **about))

    def do_wait(self) -> None:
        """Let time pass. The timers run later."""
        self.stage.set_time(self.stage.now() + timedelta(minutes=self._of(1, 10, 40)))

    def do_run_timers(self) -> None:
        """Run what is due."""
        self.stage.run_due_timers()

    def _about(self, command: Any, **more: Any) -> None:
        number = self._of(*NUMBERS)
        key = self._new_id() if command is HandOut else number
        self.stage.decide(command(entity_id=key, subject=number, caller=self._caller(), **more))

    def _caller(self) -> Caller:
        role = self._of("reseller", "reseller", "enterprise_admin", "operator")
        return Caller(subject="ann", account=self._of("master", "master/acme", *ACCOUNTS), role=role)

    def _new_id(self) -> UUID:
        self.made += 1
        return UUID(int=self.made)

    def _of(self, *values: Any) -> Any:
        return self.random.choice(values)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_with_numbers_in_stock_these_rules_hold(stage: Any, make: Any, seed: int) -> None:
    """After each step: one live DID for a number, who holds what, and a history that adds up."""
    stage.store(Account(path="master/acme/shop", name="s", allow_external_numbers=True, created_at=make.zero))
    life = Life(stage, make, seed)
    for _ in range(STEPS):
        life.step()
        check_numbers(stage)
        check_reservations(stage)
    assert stage.parked() == []
    assert stage.dead_letters() == []
    check_history(stage)


def check_numbers(stage: Any) -> None:
    """A number has the live DID that names it, and is either a DID or in stock, never both."""
    live = {did.holding.number: did.holding for did in stage.states(Did) if did.holding.is_live}
    dids = {number.number: number.did_id for number in stage.states(Number) if number.did_id is not None}
    assert dids == {name: holding.did_id for name, holding in live.items()}
    assert len(live) == sum(did.holding.is_live for did in stage.states(Did))
    for number in stage.states(Number):
        assert number.stock is None or (number.did_id is None and number.uploaded_by is not None)
        is_from_stock = number.number in live and live[number.number].origin == "stock"
        assert (number.uploaded_by is not None) is (number.stock is not None or is_from_stock)
        held = (number.reservation_id, number.held_for, number.until)
        assert [value is not None for value in held] == [number.stock == "held"] * 3


def check_reservations(stage: Any) -> None:
    """What is counted for an account is what its open reservations hold."""
    now = stage.now()
    held: dict[str, int] = {}
    for number in (as_of(number, now) for number in stage.states(Number)):
        if number.held_for is not None:
            held[number.held_for] = held.get(number.held_for, 0) + 1
            reservation = stage.state(Reservation, number.reservation_id)
            assert (reservation.state, reservation.expires_at) == ("open", number.until)
            assert number.number in reservation.numbers
    counted = {one.account: one.as_of(now).count for one in stage.states(HeldNumbers)}
    assert {account: count for account, count in counted.items() if count} == held


def check_history(stage: Any) -> None:
    """What was recorded about a number gives the number as its stock has it, and nothing after it left the stock."""
    for number in stage.states(Number):
        entries = [e for e in stage.history if e.thing == "stock" and e.thing_id == number.number]
        present = {} if number.uploaded_by is None else filled_fields(msgspec.structs.asdict(number))
        assert fold_all(entry.changes for entry in entries) == {
            k: v for k, v in present.items() if k != "number"
        }
        assert [e for e in entries if e.outcome != "applied" and e.changes] == []
