"""PostgreSQL accepts connections; with credentials, login and query succeed."""
