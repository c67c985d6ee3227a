"""How often Python looks for cycles: seldom, since a batch makes many objects and next to none of them in a cycle.

With the default thresholds a third of a worker's time went into looking. What was loaded at start is left out.
"""

import gc

NEW_OBJECTS = 200_000
"""So many more objects than before start a look at the young ones: several batches of the largest size."""


def settle() -> None:
    """Call it once, when everything is imported and built."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 50)
