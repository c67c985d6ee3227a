"""Carriers: the settings of each, whether it is silent, and the rate of its commands."""
