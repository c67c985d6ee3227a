"""The registration of a DID: its start, its lapse, and its handover to another account."""
