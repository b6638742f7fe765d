"""Source: the SQL of a source tree, found without importing or running it."""
