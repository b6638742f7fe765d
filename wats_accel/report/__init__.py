"""What is in effect, in words: of one target, and of all."""
