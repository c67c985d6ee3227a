"""The demo of the main job: what is published, what people do, and how each number must end."""
