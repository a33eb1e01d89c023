"""Compositions as features, and how alike two of them are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from spectrogen_app.data.formula import ELEMENTS

_CLASSES = (
    "Li", "Na", "K Rb Cs Tl", "Mg Fe Mn Zn Co Ni", "Cu", "Be", "Ca Sr Cd", "Ba Pb",
    "Al Ga Sc Cr In", "Y La Ce Nd Sm Gd Dy Yb Pr Er Th Eu Tb Ho", "Ti Zr Sn Hf Nb Ta", "P As V",
    "S Se Te", "W Mo", "Si Ge", "B", "C", "N", "F", "Cl Br I", "O", "H", "Ag Au", "Sb Bi", "U",
    "Hg",
)  # fmt: skip
_ANION_FORMERS = (
    "C", "N", "P", "As", "V", "Si", "B", "S", "Se", "Te", "Cl", "F", "Br", "I", "W", "Mo", "U",
    "Sb", "Cr", "Bi", "Ti",
)  # fmt: skip


def unit_rows(x: Tensor) -> Tensor:
    """Rows of unit length."""
    return x / x.norm(dim=-1, keepdim=True).clamp_min(1e-9)


@dataclass
class Composition:
    """Features of compositions, row-normalised for cosines.

    Attributes
    ----------
    parts : dict of str to Tensor, shape (n, ...)
    known : Tensor of bool, shape (n,)
    """

    parts: dict[str, Tensor]
    known: Tensor

    @classmethod
    def of(cls, counts: Tensor) -> Composition:
        """From atom counts, shape (n, elements); rows of zeros are unknown."""
        total = counts.sum(-1, keepdim=True)
        share = counts / total.clamp_min(1e-9)
        member = _class_matrix(counts.device)
        classes = share @ member
        water = torch.tensor([e in ("O", "H") for e in ELEMENTS], device=counts.device)
        class_water = member[water].sum(0) > 0
        formers = [ELEMENTS.index(e) for e in _ANION_FORMERS]
        parts = {
            "share": share,
            "elements": unit_rows(share.sqrt()),
            "cations": unit_rows((share * ~water).sqrt()),
            "classes": unit_rows(classes.sqrt()),
            "class_cations": unit_rows((classes * ~class_water).sqrt()),
            "class_share": classes * ~class_water,
            "stoichiometry": unit_rows(share.sort(-1, descending=True).values[:, :10]),
            "present": (share > 1e-6).float(),
            "anions": (share[:, formers] > 0.01).float(),
            "hydrogen": share[:, [ELEMENTS.index("H")]],
            "oxygen": share[:, [ELEMENTS.index("O")]],
        }
        return cls(parts, total[:, 0] > 0)

    def take(self, index: Tensor) -> Composition:
        """Some rows."""
        return Composition({k: v[index] for k, v in self.parts.items()}, self.known[index])

    def __getitem__(self, key: str) -> Tensor:
        return self.parts[key]


@lru_cache(maxsize=4)
def _class_matrix(device: torch.device) -> Tensor:
    member = torch.zeros(len(ELEMENTS), len(_CLASSES) + 1, device=device)
    for i, element in enumerate(ELEMENTS):
        where = [k for k, names in enumerate(_CLASSES) if element in names.split()]
        member[i, where[0] if where else len(_CLASSES)] = 1
    return member


PAIR_FEATURES = 13


def pair_features(a: Composition, b: Composition) -> Tensor:
    """How alike compositions are, shape (a, b, PAIR_FEATURES); 0 where one is unknown."""

    def dot(key: str) -> Tensor:
        return a[key] @ b[key].T

    def jaccard(key: str) -> Tensor:
        both = dot(key)
        return both / (a[key].sum(1)[:, None] + b[key].sum(1)[None] - both).clamp_min(1)

    distance = torch.cdist(a["share"], b["share"], p=1)
    columns = [
        dot("elements"), dot("cations"), dot("classes"), dot("class_cations"),
        dot("stoichiometry"), jaccard("present"), jaccard("anions"), distance,
        (distance < 0.02).float(), (a["hydrogen"] - b["hydrogen"].T).abs(),
        (a["oxygen"] - b["oxygen"].T).abs(),
        torch.cdist(a["class_share"], b["class_share"], p=1), composition_kernel(a, b),
    ]  # fmt: skip
    both = (a.known[:, None] & b.known[None]).float()
    return torch.stack(columns, -1) * both[..., None]


def composition_kernel(a: Composition, b: Composition) -> Tensor:
    """Similarity of compositions, 0..1, shape (a, b)."""
    return (
        torch.exp(-6 * (1 - a["elements"] @ b["elements"].T))
        + 0.5 * torch.exp(-3 * (1 - a["classes"] @ b["classes"].T))
        + 0.5 * torch.exp(-4 * (1 - a["cations"] @ b["cations"].T))
    ) / 2
