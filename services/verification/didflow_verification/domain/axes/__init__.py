"""What moves by closed tables: the registration of a DID, its attempts, its services; and the step that moves them."""
