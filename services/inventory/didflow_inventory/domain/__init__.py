"""What inventory decides: pure functions over frozen values, and nothing that reads or writes anything."""
