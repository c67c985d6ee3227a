"""What countries ask for: the rows, what one covers of another, and loading others."""
