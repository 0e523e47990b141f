"""The package that generates pages lies beside the documentation, not beside the tests."""

from __future__ import annotations

import sys

from tests.conftest import REPOSITORY

sys.path[:0] = [str(REPOSITORY / "docs"), str(REPOSITORY / "scripts")]
