"""Servers on one machine: a PostgreSQL, a Kafka stand-in, and child processes that end with their host."""
