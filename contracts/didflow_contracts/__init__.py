"""What order systems, carrier adapters and the services say to each other; it imports nothing of ours."""
