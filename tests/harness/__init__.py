"""What tests across services stand on: a real Kafka, a real PostgreSQL, and services as real processes."""
