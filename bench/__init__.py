"""Benchmarks. Every measure is compared with a minimal reference on the same machine at the same time."""
