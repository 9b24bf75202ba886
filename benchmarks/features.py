"""Feature images: are they recognised, do they look natural, and what do they cost beside Lucent?

    python benchmarks/features.py classes [--steps 128] [--results classes.jsonl]
    python benchmarks/features.py contrast
    PYTHONPATH=LUCENT python benchmarks/features.py cost [--steps 8]

`classes` makes a picture for 50 classes of EfficientNet-Lite0 (numbers 10, 30, … 990, so chosen by
nobody) with the defaults, and shows each to the model again in 16 random views at its own size:
cut out (0.7 to 1.05 of the side), shifted and turned by up to 12 degrees, with other random numbers
than those it was made with. Results are appended to a file, and classes that are in it are not made
again. `contrast` measures the standard deviations of photographs that bound the natural range.
`cost` times steps for 8 units in one batch, and Lucent's for one unit of the same layer with its own
defaults, by turns in one process; the bar is twice Lucent's one. Processor seconds stand beside
wall seconds, since other work on the machine lengthens the latter.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

import pellucid
from claims import Claim, note
from pellucid.inside.features import FeatureImage, Settings, visualize_feature
from pellucid.inside.features.reading import NATURAL_STD, keeps_contrast

MODEL = "bundled:efficientnet-lite0"
CLASSES = range(10, 1000, 20)
AT_ONCE = 10
COLOUR_PHOTOS = ("astronaut", "chelsea", "coffee", "motorcycle", "rocket")
UNITS = 8
LAYERS = ("_blocks.5", "_blocks.10", "_fc")


def class_record(result: FeatureImage, index: int, row: int, cpu: float, wall: float) -> Any:
    each = result.data.isel(objective=row, image=0)
    std, saturated = each["channel_std"].values, float(each["saturated"])
    return {
        "class": index,
        "label": str(each["title"].item()),
        "steps": result.data.sizes["step"],
        "top1": float(each["read_top1"]),
        "top5": float(each["read_top5"]),
        "std": [round(float(value), 4) for value in std],
        "saturated": saturated,
        "natural": bool(keeps_contrast(std, np.float64(saturated))),
        "cpu_seconds": cpu,
        "wall_seconds": wall,
    }


def make_classes(steps: int, results: Path, pictures: Path | None) -> None:
    model = pellucid.load(MODEL)
    done = {record["class"] for record in read(results) if record["steps"] == steps}
    left = [index for index in CLASSES if index not in done]
    for start in range(0, len(left), AT_ONCE):
        part = left[start : start + AT_ONCE]
        cpu, wall = time.process_time(), time.perf_counter()
        result = visualize_feature(model, part, steps=steps, show=False)
        cpu = (time.process_time() - cpu) / len(part)
        wall = (time.perf_counter() - wall) / len(part)
        with results.open("a") as file:
            for row, index in enumerate(part):
                file.write(json.dumps(class_record(result, index, row, cpu, wall)) + "\n")
        if pictures is not None:
            result.save_pictures(pictures / f"{part[0]:03d}")


def read(results: Path) -> list[dict[str, Any]]:
    return (
        [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    )


def tell_classes(steps: int, results: Path, record: Path | None) -> None:
    records = [record for record in read(results) if record["steps"] == steps]
    top1, top5 = (np.array([record[name] for record in records]) for name in ("top1", "top5"))
    std = np.array([record["std"] for record in records])
    saturated = [record["saturated"] for record in records]
    natural = keeps_contrast(std, saturated)
    cpu, wall = (
        sum(record[name] for record in records) for name in ("cpu_seconds", "wall_seconds")
    )
    print(f"{MODEL}, {len(records)} classes, {steps} steps, {torch.get_num_threads()} threads")
    print(
        f"  class in the top 5: {top5.mean():.1%} of all views; in most views of {(top5 >= 0.5).mean():.0%} of the classes"
    )
    print(
        f"  class first:        {top1.mean():.1%} of all views; in most views of {(top1 >= 0.5).mean():.0%} of the classes"
    )
    print(
        f"  standard deviation  {std.min():.3f} to {std.max():.3f} per channel (photographs: {NATURAL_STD[0]} to {NATURAL_STD[1]})"
    )
    print(f"  nearly black or white: at most {max(saturated):.1%} of a picture's values")
    print(f"  natural contrast:   {natural.mean():.0%} of the pictures")
    print(
        f"  cost per picture:   {cpu / len(records):.1f} s of processor time, {wall / len(records):.1f} s of wall time"
    )
    for each in records:
        if each["top5"] < 0.5:
            print(f"  not recognised: {each['label']} ({each['top5']:.0%} of its views)")
    subject = f"EfficientNet-Lite0, {len(records)} classes, {steps} steps"
    shares = (
        ("class images whose class is not in the top 5 of most views", (top5 < 0.5).mean(), 10.0),
        ("class images without the contrast of photographs", (~natural).mean(), 0.0),
    )
    note(
        record,
        [
            Claim(
                text=text, subject=subject, promised=most, measured=100 * float(share), unit=" %",
                command="python benchmarks/features.py classes",
                beside=f"{cpu / len(records):.1f} s of a processor for each",
            )
            for text, share, most in shares
        ],
    )  # fmt: skip


def tell_contrast() -> None:
    from sklearn.datasets import load_sample_images

    data = pellucid.load_data("bundled:photos")
    photos = {sample.id: sample.input for sample in data if sample.id in COLOUR_PHOTOS}
    photos |= {
        Path(name).stem: Image.fromarray(pixels)
        for name, pixels in zip(
            load_sample_images().filenames, load_sample_images().images, strict=True
        )
    }
    for name, photo in photos.items():
        pixels = np.asarray(ImageOps.fit(photo.convert("RGB"), (224, 224))) / 255
        clipped = ((pixels < 0.02) | (pixels > 0.98)).mean()
        print(
            f"  {name:12s} std {pixels.std((0, 1)).round(3)}, nearly black or white {clipped:.1%}"
        )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def lucent_step(model: pellucid.Model, layer: str, steps: int) -> Callable[[], object] | None:
    """Lucent's `render_vis` for one channel, all its own defaults but the model's normalization."""
    try:
        from lucent.optvis import objectives, param, render, transform
    except ImportError as error:
        print(f"Lucent cannot be imported ({error}); only our own cost is shown.")
        return None
    mean, std = (torch.tensor(v)[:, None, None] for v in (model.input.mean, model.input.std))
    transforms = [*transform.standard_transforms, lambda pixels: (pixels - mean) / std]
    name = layer.replace(".", "_")
    model.module.eval()
    return lambda: render.render_vis(
        model.module,
        objectives.channel(name, 3),
        param_f=lambda: param.image(128),
        transforms=transforms,
        preprocess=False,
        thresholds=(steps,),
        show_image=False,
        progress=False,
    )


def our_steps(model: pellucid.Model, layer: str, steps: int) -> Callable[[], object]:
    aims: Sequence[Any] = range(UNITS)
    quick = Settings(num_views=1)
    return lambda: visualize_feature(
        model, list(aims), layer=layer, steps=steps, settings=quick, show=False
    )


def cost_of_step(make: Callable[[int], Callable[[], object]], steps: int) -> tuple[float, float]:
    """Seconds (processor, wall) of a step, without what comes once: long run less short run."""
    short, long = timed(make(2)), timed(make(2 + steps))
    return (long[0] - short[0]) / steps, (long[1] - short[1]) / steps


def tell_cost(steps: int, repeats: int, record: Path | None) -> None:
    model = pellucid.load(MODEL)
    print(f"{MODEL}, seconds per step (processor, wall), {torch.get_num_threads()} threads")
    for layer in LAYERS:
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(repeats):
            ours = cost_of_step(lambda n, layer=layer: our_steps(model, layer, n), steps)
            found.setdefault(f"{UNITS} units in one batch", []).append(ours)
            if lucent_step(model, layer, 1) is not None:
                peer = cost_of_step(lambda n, layer=layer: lucent_step(model, layer, n), steps)
                found.setdefault("Lucent, one unit", []).append(peer)
        best = {name: min(values) for name, values in found.items()}
        for name, (cpu, wall) in best.items():
            print(f"  {layer:12s} {name:22s} {cpu:.3f}  {wall:.3f}")
        if len(best) == 2:
            mine, other = (value[0] for value in best.values())
            verdict = "within" if mine <= 2 * other else "above"
            print(f"  {layer:12s} ours / Lucent = {mine / other:.2f}, {verdict} the bar of 2")
            claim = Claim(
                text="feature images: a step for 8 units to Lucent's for one", subject=layer,
                promised=2.0, measured=mine / other, unit="",
                command="python benchmarks/features.py cost",
            )  # fmt: skip
            note(record, [claim])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("classes", "contrast", "cost"))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--results", type=Path, default=Path("classes.jsonl"))
    parser.add_argument("--record", type=Path)
    parser.add_argument("--pictures", type=Path, help="also write the pictures into this folder")
    options = parser.parse_args()
    if options.what == "classes":
        steps = options.steps or 128
        make_classes(steps, options.results, options.pictures)
        tell_classes(steps, options.results, options.record)
    elif options.what == "contrast":
        tell_contrast()
    else:
        tell_cost(options.steps or 8, options.repeats, options.record)


if __name__ == "__main__":
    main()
