"""The cache engine: from key to value, with TTL, fence and isolation."""
