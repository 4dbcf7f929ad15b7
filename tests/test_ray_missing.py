"""fastcal.distributed.ray where Ray is not installed."""

from __future__ import annotations

import subprocess
import sys


def test_the_extra_is_named():
    code = "import sys; sys.modules['ray'] = None\nimport fastcal.distributed.ray"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr.strip().splitlines()[-1].endswith("MissingExtraError: ray is not installed: pip install 'fastcal[ray]'")
