"""What people bring: pictures dropped, chosen and pasted, tables, weights, and files that are no good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ARCHITECTURE = "torchvision:squeezenet1_1"
PASTE = """async (colour) => {
  const canvas = new OffscreenCanvas(64, 64);
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 64, 64);
  const picture = await canvas.convertToBlob({ type: "image/png" });
  await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
}"""
DROP = """(zone, names) => {
  const carried = new DataTransfer();
  for (const name of names) carried.items.add(new File(["text,label\\nfine,good\\ndull,bad\\n"], name));
  const say = (kind) => zone.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
  say("dragover");
  return say("drop");
}"""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A file with a picture that no other has."""
    path = tmp_path / "stripes.png"
    stripes = np.arange(64, dtype=np.uint8)[:, None, None] * np.ones((1, 64, 3), np.uint8) * 3
    Image.fromarray(stripes).save(path)
    return path


def drop(page: Any, place: Any, *paths: Path) -> None:
    """Drop files and folders of the disk onto an element, as the system's file manager does."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    devices = page.context.new_cdp_session(page)
    carried = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devices.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": box["x"] + box["width"] / 2,
                "y": box["y"] + box["height"] / 2,
                "data": carried,
            },
        )
    devices.detach()


def choose(page: Any, button: str, *paths: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files(list(paths) if len(paths) > 1 else paths[0])


def test_a_folder_that_is_dropped_keeps_its_classes(studio: Any, visit: Any, digits: Path) -> None:
    page = visit(studio, "/train?strategy=partial")
    drop(page, page.get_by_role("group", name="Upload data"), digits)
    page.get_by_text("48 samples · 3 classes").first.wait_for()
    for label in ("one", "seven", "zero"):
        page.get_by_role("img", name=f"Sample of {label}").first.wait_for()
    assert "strategy=partial" in page.url


def test_what_is_no_good_is_named_and_nothing_is_lost(
    studio: Any, visit: Any, tmp_path: Path
) -> None:
    page = visit(studio, "/train?epochs=7&name=mine")
    zone = page.get_by_role("group", name="Upload data")
    notes = tmp_path / "papers" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("no picture")
    drop(page, zone, notes.parent)
    failed = page.get_by_role("alert")
    failed.get_by_text("notes.txt: neither a picture nor a table").wait_for()

    numbers = tmp_path / "numbers.csv"
    numbers.write_text("width,height\n1,2\n")
    choose(page, "Choose a table", numbers)
    failed.get_by_text("none of its columns 'width', 'height'").wait_for()
    assert "Rename it" in failed.inner_text()
    assert str(studio.workspace) not in failed.inner_text()

    empty = tmp_path / "empty"
    empty.mkdir()
    drop(page, zone, empty)
    failed.get_by_text("There are no files in what was chosen.").wait_for()

    # Beside the field the browser would open the file, and the page would be gone.
    drop(page, page.get_by_role("heading", level=1), numbers)
    page.wait_for_timeout(300)
    assert page.get_by_role("textbox", name="Epochs").input_value() == "7"
    assert page.get_by_role("textbox", name="Name of the run").input_value() == "mine"
    assert page.get_by_role("heading", level=1).evaluate(DROP, ["a.csv"]) is False

    zone.evaluate(DROP, ["reviews.csv"])  # files alone, as programs drop them
    page.get_by_text("2 samples · 2 classes").first.wait_for()
    assert not failed.count()
    page.get_by_text("dull").first.wait_for()


def test_pictures_are_dropped_and_pasted_one_after_the_other(
    studio: Any, visit: Any, trained: Any, picture: Path, tmp_path: Path
) -> None:
    address = f"/explain?model=run%3A{trained.run}&methods=grad_cam"
    page = visit(studio, address, permissions=["clipboard-read", "clipboard-write"])
    title = page.get_by_text("Drop a picture here, or paste one")
    notes = tmp_path / "notes.txt"
    notes.write_text("no picture")
    drop(page, title, notes)
    page.get_by_role("alert").get_by_text("“notes.txt” is not a picture").wait_for()
    torn = tmp_path / "torn.png"
    torn.write_bytes(picture.read_bytes()[:60])
    drop(page, title, torn)
    page.get_by_role("alert").get_by_text("torn.png").wait_for()

    drop(page, title, picture)
    page.get_by_text("stripes.png").first.wait_for()
    answers = page.get_by_role("region", name="What the model answers")
    answers.get_by_role("listitem").first.wait_for()
    page.locator("figure[data-kind='overlay'] canvas").first.wait_for()
    assert not page.get_by_role("alert").count()
    first = page.url

    drop(page, page.get_by_role("heading", level=1), torn)  # what is there stays
    page.get_by_role("alert").get_by_text("torn.png").wait_for()
    assert page.url == first

    page.evaluate(PASTE, "teal")
    page.keyboard.press("Control+V")
    page.wait_for_url(lambda url: "input=" in url and url != first)
    page.get_by_text("image.png").first.wait_for()
    answers.get_by_role("listitem").first.wait_for()
    second = page.url
    drop(page, page.get_by_role("heading", level=1), picture)
    page.wait_for_url(lambda url: url not in (first, second))
    page.get_by_text("stripes.png").first.wait_for()
    page.go_back()
    page.get_by_text("image.png").first.wait_for()
    assert page.url == second


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weights for an architecture, for another one, and a file that could hold code."""
    import torch
    from safetensors.torch import save_file
    from torchvision import models

    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    state = models.squeezenet1_1().state_dict()
    save_file(state, folder / "mine.safetensors")
    save_file({"features.0.weight": torch.zeros(2, 3)}, folder / "other.safetensors")
    torch.save(state, folder / "mine.pt")
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.thorough
def test_weights_of_ones_own(
    studio: Any, visit: Any, trained: Any, weights: dict[str, Path]
) -> None:
    page = visit(studio, f"/train?model={ARCHITECTURE}&data={trained.data}&epochs=1")
    add = "Add weights of your own"
    choose(page, add, weights["mine.pt"])
    failed = page.get_by_role("alert")
    failed.get_by_text("weights are taken as one .safetensors file").wait_for()

    choose(page, add, weights["other.safetensors"])
    page.get_by_text("Own weights: other").wait_for()
    assert not failed.count()
    page.get_by_role("button", name="Start training").click()
    failed.get_by_text("features.0.weight").first.wait_for()
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("Own weights: other").wait_for()
    assert page.get_by_role("textbox", name="Epochs").input_value() == "1"

    page.get_by_role("button", name="Take the weights away").click()
    choose(page, add, weights["mine.safetensors"])
    page.get_by_text("Own weights: mine").wait_for()
    page.reload()
    page.get_by_text("Own weights: mine").wait_for()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/runs/*")
    page.get_by_role("button", name="Evaluate").wait_for()
