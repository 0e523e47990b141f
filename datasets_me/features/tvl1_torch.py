"""TV-L1 optical flow of many pairs at once, for a GPU.

The algorithm is that of Zach, Pock and Bischof (DAGM 2007), in the form and with the constants that OpenCV's
DualTVL1OpticalFlow has, so that the two agree to a few hundredths of a pixel; they differ in the rounding of positions
(OpenCV interpolates at 1/32 px) and in the order of sums. On a CPU this is slower than OpenCV.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor

TAU, LAMBDA, THETA = 0.25, 0.15, 0.3
"""Step of the dual variables, weight of the data, tightness of the coupling: OpenCV's defaults, as all below."""

SCALES, SCALE_STEP, SMALLEST = 5, 0.8, 16
WARPS, OUTER, INNER = 5, 10, 30
EPSILON = 0.01
"""Root of the mean squared change of a step in px below which a pair is done."""

MEDIAN = 5
"""Side in px of the median filter between the outer iterations."""

ASK_EVERY = 5
"""Inner iterations after which it is asked whether all pairs are done, which waits for the GPU."""


def flow_batch(first: NDArray[np.uint8], second: NDArray[np.uint8], device: str = "cuda") -> NDArray[np.float32]:
    """The flow of pairs of grey frames.

    Args:
        first, second: (B, H, W) uint8.
        device: where torch computes.

    Returns:
        (B, H, W, 2) float32 in px.
    """
    levels = [(first.astype(np.float32), second.astype(np.float32))]
    while len(levels) < SCALES:
        smaller = tuple(_reduced(frames) for frames in levels[-1])
        if min(smaller[0].shape[1:]) < SMALLEST:
            break
        levels.append((smaller[0], smaller[1]))
    flow = torch.zeros((len(first), 2, *levels[-1][0].shape[1:]), device=device)
    for index in range(len(levels) - 1, -1, -1):
        one, two = (torch.from_numpy(frames).to(device)[:, None] for frames in levels[index])
        flow = _one_scale(one, two, flow)
        if index:
            size = levels[index - 1][0].shape[1:]
            flow = functional.interpolate(flow, size=size, mode="bilinear", align_corners=False) / SCALE_STEP
    return np.ascontiguousarray(flow.permute(0, 2, 3, 1).cpu().numpy())


def _reduced(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Frames (B, H, W) at 0.8 of their size, as cv2.resize does it."""
    return np.stack([cv2.resize(frame, None, fx=SCALE_STEP, fy=SCALE_STEP) for frame in frames])


def _one_scale(first: Tensor, second: Tensor, flow: Tensor) -> Tensor:
    """The flow (B, 2, h, w) of one level of the pyramid, from that of the level above."""
    gradient = _centred(second)
    dual = torch.zeros((*flow.shape, 2), device=flow.device)
    enough = EPSILON**2 * flow.shape[2] * flow.shape[3]
    for _ in range(WARPS):
        warped = _warped(torch.cat([second, gradient], dim=1), flow)
        change, slope = warped[:, :1] - first, warped[:, 1:]
        steepness = (slope**2).sum(dim=1, keepdim=True)
        rest = change - (slope * flow).sum(dim=1, keepdim=True)
        active = torch.ones((len(flow), 1, 1, 1), dtype=torch.bool, device=flow.device)
        for _ in range(OUTER):
            flow = torch.where(active, _median(flow), flow)
            for inner in range(INNER):
                moved, duals, error = _step(flow, dual, slope, steepness, rest)
                flow = torch.where(active, moved, flow)
                dual = torch.where(active[..., None], duals, dual)
                active = active & (error > enough)
                if inner % ASK_EVERY == ASK_EVERY - 1 and not bool(active.any()):
                    break
            if not bool(active.any()):
                break
    return flow


def _step(flow: Tensor, dual: Tensor, slope: Tensor, steepness: Tensor, rest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One iteration: the new flow, the new dual variables (B, 2, h, w, 2), and the squared change of each pair."""
    weight = LAMBDA * THETA
    residual = rest + (slope * flow).sum(dim=1, keepdim=True)
    limit = weight * steepness
    inside = torch.where(steepness > torch.finfo(torch.float32).eps, -residual / steepness.clamp_min(1e-12), 0.0)
    factor = torch.where(residual < -limit, weight, torch.where(residual > limit, -weight, inside))
    moved = flow + factor * slope + THETA * _divergence(dual)
    error = ((moved - flow) ** 2).sum(dim=(1, 2, 3), keepdim=True)
    ahead = _forward(moved)
    length = torch.sqrt((ahead**2).sum(dim=-1, keepdim=True))
    return moved, (dual + TAU / THETA * ahead) / (1 + TAU / THETA * length), error


def _centred(image: Tensor) -> Tensor:
    """Central differences of (B, 1, h, w), the border repeated: (B, 2, h, w)."""
    wide = functional.pad(image, (1, 1, 1, 1), mode="replicate")
    x = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2
    y = (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2
    return torch.cat([x, y], dim=1)


def _forward(flow: Tensor) -> Tensor:
    """Forward differences in x and y, 0 at the last column and row: (B, 2, h, w, 2)."""
    x = functional.pad(flow[..., 1:] - flow[..., :-1], (0, 1))
    y = functional.pad(flow[..., 1:, :] - flow[..., :-1, :], (0, 0, 0, 1))
    return torch.stack([x, y], dim=-1)


def _divergence(dual: Tensor) -> Tensor:
    """The adjoint of the forward difference, without its special last column and row, as OpenCV has it."""
    x, y = dual[..., 0], dual[..., 1]
    return x - functional.pad(x[..., :-1], (1, 0)) + y - functional.pad(y[..., :-1, :], (0, 0, 1, 0))


def _warped(images: Tensor, flow: Tensor) -> Tensor:
    """Images (B, C, h, w) as seen from where the flow leads: cubic, 0 outside."""
    height, width = flow.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device), torch.arange(width, device=flow.device), indexing="ij"
    )
    places = torch.stack(
        [
            2 * (x + flow[:, 0]) / max(width - 1, 1) - 1,
            2 * (y + flow[:, 1]) / max(height - 1, 1) - 1,
        ],
        dim=-1,
    )
    return functional.grid_sample(images, places, mode="bicubic", padding_mode="zeros", align_corners=True)


def _median(flow: Tensor) -> Tensor:
    """The median of 5 x 5 pixels, the border repeated."""
    half = MEDIAN // 2
    wide = functional.pad(flow, (half, half, half, half), mode="replicate")
    windows = wide.unfold(2, MEDIAN, 1).unfold(3, MEDIAN, 1).flatten(-2)
    return windows.median(dim=-1).values
