"""A warehouse: an application for tests, written in as many styles as its SQL can be hidden in."""
