"""Keep and print a result that has pictures of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.cli import output
from pellucid.cli.opening import keep

if TYPE_CHECKING:
    from pellucid.attribution.explanation import Explanation
    from pellucid.inside.features import FeatureImage
    from pellucid.workspace.run import Run


def keep_pictured(
    result: Explanation | FeatureImage,
    *,
    run: Run | None,
    out: Path | None,
    no_save: bool,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Save a result as KIND.zarr in `out`, with its pictures, else as `keep` does; and print it."""
    from pellucid.views.prose import counted

    place = out / f"{result.kind}.zarr" if out else None
    path = None if no_save else keep(result, run=run, out=place, workspace=workspace)
    pictures = result.save_pictures(out / "pictures") if out else []
    if as_json:
        found = {"path": str(path)} if path else {}
        output.answer_json(result.to_json() | found | {"pictures": list(map(str, pictures))})
    else:
        output.answer(result.summary())
    if path:
        output.note(f"saved in {path}")
    if out:
        output.note(f"{counted(len(pictures), 'picture')} in {out / 'pictures'}")
