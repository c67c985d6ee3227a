"""The catalogue that comes with the service: one YAML file for each country, and how it is read."""
