"""The changes of DIDs by their holders over HTTP."""
