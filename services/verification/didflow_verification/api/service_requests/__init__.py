"""Requests for additional services over HTTP."""
