"""Carrier adapters: a kit to write them in Python, and a simulated carrier."""
