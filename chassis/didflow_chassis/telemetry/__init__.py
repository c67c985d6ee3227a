"""What a running process tells of itself: log lines, metrics, traces. Nothing of secrets in any of them."""
