"""The decisions of inventory: pure functions over frozen values. Nothing here does input or output."""
