"""What provisioning decides: pure functions over frozen values; nothing here opens, awaits or reads a clock."""
