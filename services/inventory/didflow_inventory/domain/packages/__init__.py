"""Packages: clients pick numbers from a selection of the stock, up to a count."""
