"""Records of many partitions in the order of time."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from didflow.time_order import HOLD_S, TimeOrder


@dataclass(frozen=True)
class Stored:
    """A record: its time, partition and offset."""

    timestamp: int
    partition: int
    offset: int


def partition(number: int, *timestamps: int) -> list[Stored]:
    return [Stored(timestamp, number, offset) for offset, timestamp in enumerate(timestamps)]


def test_stored_records_wait_for_every_partition() -> None:
    """As long as one partition has not answered, an earlier record may still come from it."""
    order: TimeOrder[Stored] = TimeOrder({0, 1})
    order.add(0, partition(0, 1, 5), now=0.0)
    assert list(order.released(now=1e6)) == []
    assert order.awaited == {1}
    order.add(1, partition(1, 3, 4), now=0.0)
    assert [record.timestamp for record in order.released(now=0.0)] == [1, 3, 4]
    order.complete(1)
    assert [record.timestamp for record in order.released(now=0.0)] == [5]


@given(st.lists(st.lists(st.integers(0, 50)), min_size=1, max_size=5), st.data())
def test_stored_records_come_in_exact_order_whatever_arrives_first(
    stored: list[list[int]], data: st.DataObject
) -> None:
    """If each partition is in order, so is everything. Records arrive one by one from any awaited partition."""
    left = {number: partition(number, *sorted(times)) for number, times in enumerate(stored)}
    order: TimeOrder[Stored] = TimeOrder(left)
    seen: list[int] = []
    while order.unread:
        for number in [number for number in order.unread if not left[number]]:
            order.complete(number)
        seen += [record.timestamp for record in order.released(now=0.0)]
        if order.awaited:
            number = data.draw(st.sampled_from(sorted(order.awaited)))
            if left[number]:
                order.add(number, [left[number].pop(0)], now=0.0)
    seen += [record.timestamp for record in order.released(now=HOLD_S)]
    assert seen == sorted(time for times in stored for time in times)


def test_new_records_are_held_for_a_moment_and_sorted() -> None:
    """A record that arrives a little later than a younger one is released before it."""
    order: TimeOrder[Stored] = TimeOrder(hold_s=0.3)
    order.add(0, partition(0, 20), now=0.0)
    assert list(order.released(now=0.2)) == []
    order.add(1, partition(1, 10), now=0.2)
    assert [record.timestamp for record in order.released(now=0.3)] == [10, 20]


def test_no_record_is_held_for_longer() -> None:
    """Records that arrive without end do not hold back those that came before them."""
    order: TimeOrder[Stored] = TimeOrder(hold_s=0.3)
    order.add(0, partition(0, 20), now=0.0)
    order.add(1, partition(1, 30), now=0.2)
    assert [record.timestamp for record in order.released(now=0.3)] == [20]
    assert [record.timestamp for record in order.released(now=0.5)] == [30]


def test_the_order_of_a_partition_is_never_changed() -> None:
    """A producer may send any timestamps."""
    order: TimeOrder[Stored] = TimeOrder()
    order.add(0, partition(0, 9, 1, 5), now=0.0)
    order.add(1, partition(1, 6), now=0.0)
    released = list(order.released(now=1.0))
    assert [record.offset for record in released if record.partition == 0] == [0, 1, 2]
    assert len(released) == 4
