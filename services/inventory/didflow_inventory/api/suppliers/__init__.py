"""Carriers and operators over HTTP."""
