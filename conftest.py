"""What every test can ask for comes from `tests/harness`."""

pytest_plugins = ["harness.fixtures"]
