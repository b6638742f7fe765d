"""A simulated working day for the example: data, clock, people, measurements. No part of the application."""
