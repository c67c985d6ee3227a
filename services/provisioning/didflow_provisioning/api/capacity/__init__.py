"""Capacity groups over HTTP."""
