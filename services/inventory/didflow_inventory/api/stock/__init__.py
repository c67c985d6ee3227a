"""Numbers in stock over HTTP."""
