"""Painting over a picture: what the model answers, and why, follow the brush."""

from __future__ import annotations

from typing import Any

MAP = """() => {
  const canvas = document.querySelector("figure[data-kind=overlay] canvas");
  return canvas?.width ? canvas.toDataURL() : "";
}"""


def test_hiding_parts_changes_answers_and_maps(studio: Any, visit: Any, trained: Any) -> None:
    page = visit(
        studio,
        f"/explain?model=run%3A{trained.run}&data={trained.data}&position=3&methods=grad_cam",
    )
    page.wait_for_function(MAP)  # a function: the page forbids to evaluate text
    answers = page.get_by_role("region", name="What the model answers")
    answers.get_by_role("listitem").first.wait_for()
    page.wait_for_function("() => !document.querySelector('main [aria-busy=true]')")

    before = page.evaluate(MAP)
    paint(page)
    answers.get_by_text("now", exact=True).wait_for(state="attached")
    page.wait_for_function(f"before => ({MAP})() !== before", arg=before)
    assert "strokes=" in page.url
    held = page.url
    page.reload()
    page.get_by_role("heading", name="What the model answers with parts hidden").wait_for()
    assert page.url == held
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("heading", name="What the model answers", exact=True).wait_for()


def test_the_brush_by_keyboard(studio: Any, visit: Any, trained: Any) -> None:
    page = visit(
        studio,
        f"/explain?model=run%3A{trained.run}&data={trained.data}&position=3&methods=grad_cam",
    )
    page.get_by_role("region", name="What the model answers").get_by_role(
        "listitem"
    ).first.wait_for()
    page.get_by_role("application", name="Picture with a brush").focus()
    page.keyboard.down("Space")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.keyboard.up("Space")
    page.get_by_role("heading", name="What the model answers with parts hidden").wait_for()
    page.keyboard.press("Control+z")
    page.get_by_role("heading", name="What the model answers", exact=True).wait_for()


def paint(page: Any) -> None:
    """Two strokes across the middle of the picture."""
    brush = page.get_by_role("application", name="Picture with a brush")
    brush.scroll_into_view_if_needed()
    box = brush.bounding_box()
    across, down = box["width"], box["height"]
    page.mouse.move(box["x"] + 0.2 * across, box["y"] + 0.45 * down)
    page.mouse.down()
    for share in (0.3, 0.5, 0.8):
        page.mouse.move(box["x"] + share * across, box["y"] + 0.45 * down, steps=3)
    page.mouse.up()
