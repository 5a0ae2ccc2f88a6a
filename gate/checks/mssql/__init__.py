"""SQL Server by its protocol TDS: PRELOGIN is answered; with a password, the login works."""
