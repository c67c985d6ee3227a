"""What all tests can use: a real Kafka, a real PostgreSQL, services on them, and services as processes."""
