"""A name resolves as the app's own resolver would see it."""
