"""What accelerates a program that is not edited: run before it by the executable."""

import wats_accel

wats_accel.install("wats.yaml")
