"""Requirements over HTTP, with the what-if."""
