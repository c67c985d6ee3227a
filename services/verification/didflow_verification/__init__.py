"""Verification: whether a number needs registration, and whether these details satisfy it."""
