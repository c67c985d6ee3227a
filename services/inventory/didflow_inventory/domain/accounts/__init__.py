"""What belongs to accounts: users, operators and carriers."""
