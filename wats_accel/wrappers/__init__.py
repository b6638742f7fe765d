"""The wrappers: one call of a patched method, turned into one use of an engine."""
