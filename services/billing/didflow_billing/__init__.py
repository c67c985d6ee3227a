"""Billing: the terms of DIDs and the ledger."""
