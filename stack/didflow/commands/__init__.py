"""The commands of `didflow`, a file each: they read arguments and print, and leave the work to others."""
