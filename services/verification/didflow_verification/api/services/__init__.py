"""Additional services over HTTP."""
