"""Capacity groups: channels that several DIDs share."""
