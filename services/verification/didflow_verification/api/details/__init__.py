"""Identities and addresses over HTTP."""
