"""The fixtures that all tests of the repository share, and the rule about the folders of tests."""

pytest_plugins = ["harness.example_adapters", "harness.fixtures", "harness.folders"]
