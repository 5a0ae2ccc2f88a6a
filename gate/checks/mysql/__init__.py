"""MySQL and MariaDB accept connections; with credentials, the login works."""
