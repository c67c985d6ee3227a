"""Log lines, metrics and traces of a process. None of them contains a secret."""
