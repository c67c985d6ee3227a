"""Who manages a user, a carrier or an operator: whoever reaches its account. Nobody manages a deleted one."""

from typing import Protocol, TypeGuard, TypeVar

from didflow_chassis.decision import Caller


class Owned(Protocol):
    """A thing of an account. It stays in its table when it is deleted."""

    @property
    def account(self) -> str:
        """The account that it belongs to."""

    @property
    def deleted(self) -> bool:
        """Whether it was deleted."""


T = TypeVar("T", bound=Owned)


def is_managed(thing: T | None, caller: Caller) -> TypeGuard[T]:
    """Return True if there is such a thing, it was not deleted, and the caller reaches its account."""
    return thing is not None and not thing.deleted and caller.reaches(thing.account)
