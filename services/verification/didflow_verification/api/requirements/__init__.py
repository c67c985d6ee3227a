"""Requirements and the what-if over HTTP."""
