"""Exports as PyTorch datasets.

::

    from torch.utils.data import DataLoader
    from datasets_me.torch_data import SegmentDataset

    train = SegmentDataset("casme-sq-segments", split="loso", fold="casme_015", normalise=True)
    test = SegmentDataset("casme-sq-segments", part="test", split="loso", fold="casme_015", normalise=True)
    for batch in DataLoader(train, batch_size=32, shuffle=True, num_workers=2):
        batch["feature"], batch["label"], batch["mask"]
"""

from __future__ import annotations

from datasets_me.torch_data.clips import ClipDataset
from datasets_me.torch_data.fields import Field
from datasets_me.torch_data.flow import FlowDataset
from datasets_me.torch_data.segments import SegmentDataset

__all__ = ["ClipDataset", "Field", "FlowDataset", "SegmentDataset"]
