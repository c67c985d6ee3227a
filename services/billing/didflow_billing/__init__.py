"""Billing: how long a number lives, and what it costs."""
