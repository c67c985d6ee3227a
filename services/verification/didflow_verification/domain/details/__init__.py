"""What end users state: identities, addresses and documents come in, change and go."""
