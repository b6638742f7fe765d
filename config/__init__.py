"""The configuration presets: the one source of the files that the package carries as data."""
