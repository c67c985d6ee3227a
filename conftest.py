"""The fixtures that all tests of the repository share, and the rule about the folders of tests."""

pytest_plugins = ["harness.fixtures", "harness.folders"]
