"""Additional services of a DID: requested, decided, canceled, and following the end user of the DID."""
