"""Verifications over HTTP."""
