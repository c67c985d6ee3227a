"""What falls due: ends and turns of a registration, and new looks at one because what it rests on changed."""
