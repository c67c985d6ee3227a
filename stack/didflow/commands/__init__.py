"""The commands of `didflow`, one file each. A command reads arguments and prints; other modules do the work."""
