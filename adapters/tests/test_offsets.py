"""Which offsets may be committed."""

from hypothesis import given
from hypothesis import strategies as st

from didflow_adapters.kit.offsets import Offsets


@given(order=st.permutations(range(8)))
def test_nothing_is_committed_past_an_unanswered_record(order: list[int]) -> None:
    """Whatever order answers come in, the offset stands before the first one missing."""
    offsets: Offsets[str] = Offsets()
    slots = [offsets.take("p", 100 + n) for n in range(8)]
    answered: set[int] = set()
    for n in order:
        slots[n].done = True
        answered.add(n)
        first_missing = next((n for n in range(8) if n not in answered), 8)
        expected = {"p": 100 + first_missing} if first_missing else {}
        assert offsets.ready() == expected


def test_what_was_committed_is_not_committed_again() -> None:
    """A commit that was taken is forgotten; one that failed is offered again."""
    offsets: Offsets[str] = Offsets()
    offsets.take("p", 5).done = True
    assert offsets.ready() == offsets.ready() == {"p": 6}
    offsets.committed({"p": 6})
    assert offsets.ready() == {}


def test_a_partition_that_was_given_away_counts_no_more() -> None:
    """An answer that comes late for it commits nothing, also when the partition comes back."""
    offsets: Offsets[str] = Offsets()
    late = offsets.take("p", 5)
    offsets.forget(["p"])
    again = offsets.take("p", 5)
    late.done = True
    assert offsets.ready() == {}
    again.done = True
    assert offsets.ready() == {"p": 6}
