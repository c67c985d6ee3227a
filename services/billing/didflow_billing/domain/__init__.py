"""What billing decides: pure functions of (term, message, instant). Nothing here does I/O."""
