"""LDAP version 3: a directory answers; with credentials, a simple bind works."""
