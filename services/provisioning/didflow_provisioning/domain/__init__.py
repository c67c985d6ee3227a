"""The decisions of provisioning: pure functions over frozen values. Nothing here does I/O or reads a clock."""
