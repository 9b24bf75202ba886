"""Explanation: which parts of each sample speak for a class, by one or several methods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pellucid.attribution.explanation_views import explanation_views
from pellucid.attribution.explanation_words import concentration, headline, summary
from pellucid.attribution.faithfulness.shown import (
    faithfulness_json,
    faithfulness_views,
)
from pellucid.result import Result
from pellucid.views import View

PER_SAMPLE = ("target", "target_label", "target_probability", "predicted", "predicted_label")


@dataclass(frozen=True, kw_only=True)
class Explanation(Result):
    """Attribution maps of samples, with what the model saw and answered.

    `data` holds, for each method and sample, `attribution` over the picture (y, x), the tokens
    (token; NaN behind the end of shorter texts) or the values (feature); `completeness_error`
    (relative, NaN where the method has none) and `passes`, forward and backward; where measured,
    `faithfulness` by measure, beside `faithfulness_control`. For each sample:
    `sample_id`; the explained class (`target`, `target_label`, `target_probability`), the
    predicted one, the true one (-1 and "" if unknown); the five most probable answers (`probability`
    and `rank_label`, by rank). `picture` (sample, y, x, channel) uint8 is what the model saw; for
    texts `token`, `special` (added by the tokenizer), `used` (not padding) and the coordinate `word`,
    the number of the word that a token belongs to, −1 for special ones.
    """

    kind: ClassVar[str] = "explanation"

    def views(self) -> list[View]:
        """One view per sample, a picture with its maps or a text with its words coloured; then how
        faithful the maps are, if that was measured.
        """
        return [*explanation_views(self.data), *faithfulness_views(self.data)]

    def summary(self) -> str:
        """Say what was explained, how often the model was right, and what to beware of."""
        return summary(self.data, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give each sample's answer and its figures per method as JSON values, without the maps."""
        return {
            "kind": self.kind,
            "num_samples": self.data.sizes["sample"],
            "methods": [str(name) for name in self.data["method"].values],
            "samples": [self._sample_json(i) for i in range(self.data.sizes["sample"])],
            "provenance": self.meta.to_json(),
        }

    def save_pictures(self, folder: str | Path) -> list[Path]:
        """Write each sample's view as a PNG file into a folder, which is made if need be; give the paths.

        Files are named by position and sample; what is there under the same name is replaced.
        """
        from pellucid.views.matplotlib import draw_views

        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        views, paths = explanation_views(self.data), []
        for position, view in enumerate(views):
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", view.title).strip("-.")[-80:]
            paths.append(target / f"{position:0{len(str(len(views)))}d}-{name}.png")
            draw_views([view]).savefig(paths[-1])
        return paths

    def _sample_json(self, sample: int) -> dict[str, Any]:
        data = self.data.isel(sample=sample)
        labels, shares = data["rank_label"].values, data["probability"].values
        true = int(data["true"])
        return {
            "sample": str(data["sample_id"].item()),
            **{name: data[name].item() for name in PER_SAMPLE},
            "true": None if true < 0 else true,
            "true_label": data["true_label"].item() or None,
            "answers": [
                {"label": str(label), "probability": float(share)}
                for label, share in zip(labels, shares, strict=True)
            ],
            "methods": {
                str(name): self._method_json(sample, row)
                for row, name in enumerate(self.data["method"].values)
            },
        }

    def _method_json(self, sample: int, row: int) -> dict[str, Any]:
        values = self.data["attribution"].values[row, sample]
        error = float(self.data["completeness_error"].values[row, sample])
        return {
            "completeness_error": error if np.isfinite(error) else None,
            "passes": int(self.data["passes"].values[row, sample]),
            "layer": str(self.data["layer"].values[row]) or None,
            "sum": float(np.nansum(values)),
            "strongest_tenth": concentration(values[np.isfinite(values)]),
            "faithfulness": faithfulness_json(self.data, sample, row),
        }
