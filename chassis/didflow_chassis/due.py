"""How a worker chooses among what is due: many workers share it, and a long wave delays nothing that follows it.

A wave is a large number of timers that are due at about the same instant, as after a change of a catalogue. What
becomes due during a wave would wait for its end if only the oldest were chosen. So up to half of each chunk is chosen
among the newest. The rest is chosen among the oldest, so nothing waits for ever.
"""

from typing import Final

WINDOW: Final = 10
"""The oldest rows are chosen among this many times the size of a chunk, so two workers rarely choose the same ones."""
NEWEST: Final = 4
"""The newest rows are chosen among this many times the size of a chunk."""


def chosen(columns: str, due: str, due_at: str) -> str:
    """Return the statement that chooses $2 due rows at random: at most half of the newest, the rest of the $3 oldest.

    `columns` are what is selected, `due` is FROM and WHERE of all that is due, `due_at` is the column with the instant.
    The newest are later than the $3 oldest. If no more rows are due than are chosen, all are. The earliest comes first.
    """
    return f"""
WITH oldest AS MATERIALIZED (
    SELECT {columns}, {due_at} AS due_at {due} ORDER BY {due_at} LIMIT $3::bigint
), newest AS MATERIALIZED (
    SELECT {columns}, {due_at} AS due_at {due} AND {due_at} > (SELECT max(oldest.due_at) FROM oldest)
    ORDER BY {due_at} DESC LIMIT {NEWEST} * $2::bigint
), wanted AS (
    (SELECT *, -1.0 AS place FROM newest ORDER BY random() LIMIT $2::bigint / 2)
    UNION ALL SELECT *, random() AS place FROM oldest
)
SELECT * FROM (SELECT * FROM wanted ORDER BY place LIMIT $2::bigint) AS chosen ORDER BY due_at
"""  # noqa: S608
