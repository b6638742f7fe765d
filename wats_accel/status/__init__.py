"""Status: what a running process has on, in a small file that ``wats-accel status`` reads."""
