"""FeatureImage: pictures that excite units or classes, and how they read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from pellucid.inside.features.reading import keeps_contrast
from pellucid.inside.features.views import feature_views
from pellucid.inside.features.words import headline, rows, safe_name, summary
from pellucid.result import Result
from pellucid.views import View


@dataclass(frozen=True, kw_only=True)
class FeatureImage(Result):
    """Pictures made for objectives, how they were reached, and how the model reads them.

    `data` holds `images` (objective, image, y, x, channel) uint8 and the `score` over steps, in the
    unit of the layer; over random views of the finished pictures `read_score` and, for classes,
    `read_top1`, `read_top5` and `read_probability` (NaN where not defined); `channel_std` and
    `saturated` beside the bounds of photographs; with data, `natural_percentile` of the score
    among natural samples; for MACO the `opacity`; for dreams the photograph (`start`). Cards of
    units add `top_…` (objective, rank): samples that excite the unit most and their patches; and
    `fed_…` (objective, fed): the classes that the unit speaks for.
    """

    kind: ClassVar[str] = "feature_image"

    @property
    def title(self) -> str:
        """What a report calls it."""
        return "Single units" if "top_sample" in self.data else "Learned features"

    def views(self) -> list[View]:
        """The pictures; the scores over steps; figures; the cards of units, if there are any."""
        return feature_views(self.data)

    def summary(self) -> str:
        """Say what was made, whether the model recognises it, and what to beware of."""
        return summary(self.data, self.meta.parameters, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Give column names, and a row of words for each picture."""
        return rows(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give the figures of each picture as JSON values, without the pixels."""
        data = self.data
        natural = keeps_contrast(data["channel_std"].values, data["saturated"].values)
        return {
            "kind": self.kind,
            "summary": self.summary(),
            "objectives": [
                {
                    "name": str(name),
                    "kind": str(data["aim"].values[row]),
                    "layer": str(data["layer"].values[row]) or None,
                    "images": [
                        self._image_json(row, image, bool(natural[row, image]))
                        for image in range(data.sizes["image"])
                    ],
                }
                for row, name in enumerate(data["objective"].values)
            ],
            "provenance": self.meta.to_json(),
        }

    def save_pictures(self, folder: str | Path) -> list[Path]:
        """Write each picture as a PNG file into a folder, which is made if need be; give the paths.

        Opacity, where there is one, becomes the file's alpha.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        paths = []
        for row, name in enumerate(self.data["objective"].values):
            for image in range(self.data.sizes["image"]):
                pixels = self.data["images"].values[row, image]
                if "opacity" in self.data:
                    alpha = (255 * self.data["opacity"].values[row, image]).astype(np.uint8)
                    pixels = np.concatenate([pixels, alpha[..., None]], 2)
                paths.append(target / f"{row:02d}-{safe_name(str(name))}-{image}.png")
                Image.fromarray(pixels).save(paths[-1])
        return paths

    def _image_json(self, row: int, image: int, natural: bool) -> dict[str, Any]:
        each = self.data.isel(objective=row, image=image)
        names = ("read_score", "read_top1", "read_top5", "read_probability", "natural_percentile")
        found = {name: float(each[name]) for name in names if name in each}
        return {
            **{name: value if np.isfinite(value) else None for name, value in found.items()},
            "last_score": float(each["score"].values[-1]),
            "channel_std": [float(value) for value in each["channel_std"].values],
            "saturated": float(each["saturated"]),
            "natural_contrast": natural,
        }
