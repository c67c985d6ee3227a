"""The decisions of billing: pure functions of a term, a message and an instant."""
