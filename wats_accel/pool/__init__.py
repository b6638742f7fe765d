"""The pool: driver connections that are re-used, behind proxies that cannot be told from the driver's own."""
