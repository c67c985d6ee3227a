"""The history: one entry for each message about a DID or another thing, whatever its decision was."""
