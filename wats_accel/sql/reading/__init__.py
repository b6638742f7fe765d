"""Reading SQL from its tokens: tolerant of what it does not know, and then on the side of more."""
