"""``python -m fastcal``."""

from __future__ import annotations

import sys

from fastcal.cli import main

if __name__ == "__main__":
    sys.exit(main())
