"""Documents over HTTP: a form is read as it arrives, its bytes are kept sealed."""
