"""Tuning of Python's garbage collector: it seldom looks for reference cycles.

A batch creates many objects, and almost none of them is in a cycle. With Python's default thresholds, a third of a
worker's time went into the search for cycles.
"""

import gc

NEW_OBJECTS = 200_000
"""Number of additional objects that starts a collection of the youngest generation."""


def tune() -> None:
    """Set the thresholds, and exclude all objects that exist now. Call this once, after everything is built."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 50)
