"""A member in the wanted state answers `hello`; with credentials, the login works."""
