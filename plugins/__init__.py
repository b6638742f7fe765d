"""The built-in features, each one plugin; installed as the package ``wats_accel_plugins``."""

BUILT_IN = (
    "connection_pool",
    "repository_cache",
    "write_invalidation",
    "sql_invalidation",
    "redis_tier",
    "table_versions",
)
"""Their names, in the order in which they are loaded."""
