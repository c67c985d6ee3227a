"""The routes of targets: where calls and messages are delivered."""
