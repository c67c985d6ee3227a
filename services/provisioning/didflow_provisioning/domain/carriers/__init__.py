"""Carriers: the settings of each, whether it is silent, and the pace of its commands."""
