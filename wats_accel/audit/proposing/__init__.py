"""Proposing: a whole configuration for a source tree, with the reasons for each line of it."""
