"""Versions: a database, asked cheaply which of its tables have changed since it was asked last."""
