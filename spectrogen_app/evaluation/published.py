"""The published way of scoring and the published network layout, for comparison only.

arXiv:2407.16094 turns a spectrum into a 256 x 2048 grey image and scores images. Two readings of
"image" are in use: the plotted curve, and the intensities as a bar tiled over all rows.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from torch import Tensor, nn

from spectrogen_app.evaluation.baselines import spectra_of
from spectrogen_app.evaluation.tables import Answers
from spectrogen_app.training.dataset import Dataset

HEIGHT, WIDTH = 256, 2048
Image = NDArray[np.float64]


def plotted(y: NDArray[np.floating]) -> Image:
    """Black curve on white, shape (256, 2048), 0..1."""
    level = np.interp(np.linspace(0, 1, WIDTH), np.linspace(0, 1, y.size), np.clip(y, 0, 1))
    row = ((1 - level) * (HEIGHT - 1)).round().astype(int)
    image = np.ones((HEIGHT, WIDTH))
    ends = np.stack([row[:-1], row[1:]])
    for x, (low, high) in enumerate(zip(ends.min(0), ends.max(0), strict=True)):
        image[low : high + 1, x] = 0
    image[row[-1], -1] = 0
    return image


def tiled(y: NDArray[np.floating]) -> Image:
    """Intensities as grey levels, the same in every row, shape (256, 2048)."""
    level = np.interp(np.linspace(0, 1, WIDTH), np.linspace(0, 1, y.size), np.clip(y, 0, 1))
    return np.tile(level, (HEIGHT, 1))


READINGS = {"plotted curve": plotted, "tiled bar": tiled}


def ssim(a: Image, b: Image, window: int = 7) -> float:
    """Mean structural similarity of images 0..1 (Wang et al. 2004, uniform window)."""
    c1, c2 = 0.01**2, 0.03**2
    n = window**2
    ma, mb = uniform_filter(a, window), uniform_filter(b, window)
    va = (uniform_filter(a * a, window) - ma * ma) * n / (n - 1)
    vb = (uniform_filter(b * b, window) - mb * mb) * n / (n - 1)
    cov = (uniform_filter(a * b, window) - ma * mb) * n / (n - 1)
    s = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    edge = window // 2
    return float(s[edge:-edge, edge:-edge].mean())


def image_scores(a: Image, b: Image) -> dict[str, float]:
    """Pixel correlation, RMSE and SSIM."""
    spread = a.std() * b.std()
    r = float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 1e-12 else 0.0
    return {"r": r, "rmse": float(np.sqrt(((a - b) ** 2).mean())), "ssim": ssim(a, b)}


def paper_protocol(
    dataset: Dataset,
    answers: dict[tuple[str, tuple[str, ...], str], Answers],
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Image scores of 5 % of all pairs, drawn at random without regard to minerals.

    The draw is made among the samples that the model never saw, known and new minerals in their
    natural proportion, so it is the published protocol without its leak of weights. The blank
    plot is an image without any curve.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for target, sources in sorted({(t, s) for t, s, _ in answers if len(s) == 1}):
        if sources == ("formula",):
            continue
        found = [
            answers[k] for g in ("sample", "mineral") if (k := (target, sources, g)) in answers
        ]
        if not found:
            continue
        samples = np.concatenate([a.samples for a in found])
        y = np.concatenate([a.y for a in found])
        pairs = int((dataset.has(target) & dataset.has(sources[0])).sum())
        chosen = rng.permutation(len(samples))[: max(5, pairs // 20)]
        truth, mask = spectra_of(dataset, target, samples[chosen])
        for name, draw in READINGS.items():
            scores: dict[str, list[dict[str, float]]] = {"generated": [], "blank plot": []}
            for made, real, seen in zip(y[chosen], truth, mask, strict=True):
                picture = draw(real[seen])
                scores["generated"].append(image_scores(draw(made[seen]), picture))
                blank = np.ones_like(picture) if name == "plotted curve" else np.zeros_like(picture)
                scores["blank plot"].append(image_scores(blank, picture))
            for what, values in scores.items():
                rows.append({
                    "target": target, "source": sources[0], "image": name, "what": what,
                    "n": len(values),
                    **{k: float(np.mean([v[k] for v in values])) for k in ("r", "rmse", "ssim")},
                })  # fmt: skip
    return rows


class PublishedNetwork(nn.Module):
    """The published layout with untrained weights: 256 x 2048 image in and out.

    Four strided convolutions 32-64-128-256, dense 512, latent 256, and the same back.
    """

    def __init__(self) -> None:
        super().__init__()
        sizes = (1, 32, 64, 128, 256)
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for a, b in itertools.pairwise(sizes):
            down += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.ReLU()]
        for a, b in zip(sizes[:0:-1], sizes[-2::-1], strict=True):
            up += [nn.ConvTranspose2d(a, b, 3, stride=2, padding=1, output_padding=1), nn.ReLU()]
        flat = 256 * (HEIGHT // 16) * (WIDTH // 16)
        self.down = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, 512), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(512, 256), nn.Linear(512, 256)
        self.up = nn.Sequential(
            nn.Linear(256, flat), nn.ReLU(),
            nn.Unflatten(1, (256, HEIGHT // 16, WIDTH // 16)), *up[:-1], nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        """Images, shape (batch, 1, 256, 2048), to images of the same shape."""
        hidden = self.down(image)
        mean = self.mean(hidden)
        noise = torch.randn_like(mean) * (0.5 * self.log_variance(hidden)).exp()
        out: Tensor = self.up(mean + noise)
        return out
