"""What verification decides: frozen values and pure functions. Nothing here does input or output."""
