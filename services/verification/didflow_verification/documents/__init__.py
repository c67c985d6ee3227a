"""The bytes of documents: recognized, encrypted, stored, read, and encrypted again under a new key."""
