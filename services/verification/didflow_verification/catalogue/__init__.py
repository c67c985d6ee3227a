"""The catalogue that comes with the service, one YAML file for each country, and the tools for catalogue files."""
