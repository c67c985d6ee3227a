"""The states of a DID that this service owns: its registration, its verifications and its service requests."""
