"""Documents: taken over HTTP, looked at, encrypted, kept, given back, encrypted anew."""
