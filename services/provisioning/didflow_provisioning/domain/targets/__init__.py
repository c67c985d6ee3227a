"""Targets: where calls and messages of DIDs are delivered, and how a change of a target reaches the DIDs on it."""
