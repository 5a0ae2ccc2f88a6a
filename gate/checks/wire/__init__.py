"""What several protocols share: dialling, TLS, streams, credentials, several hosts."""
