"""The patching engine: a pure plan, finding targets, installing and undoing."""
