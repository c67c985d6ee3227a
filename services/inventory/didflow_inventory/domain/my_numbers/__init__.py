"""My Numbers: the rules by which DIDs are shown, found and counted. No other decision depends on them."""
