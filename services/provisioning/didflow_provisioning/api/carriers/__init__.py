"""Carriers over HTTP: the carrier commands, and the settings of carriers that are in force."""
