"""Additional services: requested, checked, decided, and what becomes of them with the registration."""
