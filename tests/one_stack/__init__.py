"""Tests of all four services on one stack."""
