"""Terms of DIDs on one stack with a movable clock, watched through the public routes."""
