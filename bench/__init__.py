"""How fast it is, always against something lean on the same machine in the same minutes."""
