"""The consistency check: whether the four databases agree about every DID. It only reads.

`check.check` is the whole check. `did.disagreements_of` is a pure function of one DID's rows in all services.
"""
