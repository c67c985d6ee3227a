"""The numbers in stock: how they enter it, what is done with them there, and how they become DIDs and return."""
