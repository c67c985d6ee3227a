"""The price list: its rows, the price that is in force for a number, changes of the list, and quotes from it."""
