"""End-user details: identities, their addresses and their documents. They are personal data."""
