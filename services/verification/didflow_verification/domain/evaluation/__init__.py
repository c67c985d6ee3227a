"""Whether details satisfy a requirement: one pure function over all its checks, and what the checks know."""
