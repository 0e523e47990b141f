from tests.images.conftest import write_set
from tests.splits.conftest import five

__all__ = ["five", "write_set"]
