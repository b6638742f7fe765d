"""The audit: what a source tree and a configuration say together, before anything runs."""
