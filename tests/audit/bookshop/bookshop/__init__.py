"""A small application in another style than the example: wrappers, queries by name, base classes."""
