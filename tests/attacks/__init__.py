"""Attacks on a whole installation, with bystanders that must not notice them."""
