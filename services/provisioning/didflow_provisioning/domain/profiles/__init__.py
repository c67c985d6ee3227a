"""Configuration profiles: named settings of the routing that are applied to DIDs."""
