"""Documents: looked at, encrypted, kept, read back, encrypted anew. What takes and gives them is `api/documents`."""
