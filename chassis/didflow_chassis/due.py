"""How a worker chooses among what is due, so that many workers share it without knowing of each other."""

from typing import Final

WINDOW: Final = 20
"""A chunk is chosen among so many times its size. Two workers at once then rarely choose the same rows."""


def chosen(oldest: str) -> str:
    """Return the statement that chooses $2 rows of a query at random and selects them with the oldest first.

    The query names the columns that are selected, and `due_at`. It ends with `LIMIT $3`. If it has no more rows than
    are chosen, all are.
    """
    return f"""
SELECT * FROM (SELECT * FROM ({oldest}) AS oldest ORDER BY random() LIMIT $2) AS chosen ORDER BY due_at
"""  # noqa: S608
