"""The main job shown from end to end: what goes in, what people do, and where each number must end."""
