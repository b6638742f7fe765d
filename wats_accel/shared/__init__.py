"""The shared part: what several processes know of each other's writes, and the answers that they share."""
