"""``python -m wats_accel``: the same commands as ``wats-accel``."""

from __future__ import annotations

from wats_accel.cli import main

if __name__ == "__main__":
    main()
