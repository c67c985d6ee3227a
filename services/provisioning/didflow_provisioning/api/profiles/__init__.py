"""Configuration profiles over HTTP."""
