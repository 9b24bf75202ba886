import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.reporting.drawers_matrix import HIGH, MIDDLE, told_apart
from pellucid.reporting.report import report
from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Column,
    Graph,
    Histogram,
    ImageGrid,
    Lines,
    Matrix,
    Overlay,
    Picture,
    Series,
    Table,
    Text,
    Tokens,
)

Make = dict[str, Callable[..., Any]]


class Elements(HTMLParser):
    """All elements of a page with their attributes, and the scripts' contents."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[tuple[dict[str, str], str]] = []
        self.said = ""
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.found.append((tag, attributes))
        self._inside = tag
        if tag == "script":
            self.scripts.append((attributes, ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, said = self.scripts.pop()
            self.scripts.append((attributes, said + data))
        elif self._inside != "style":
            self.said += data + "\n"

    def having(self, name: str) -> list[dict[str, str]]:
        return [attributes for _, attributes in self.found if name in attributes]


@pytest.fixture(scope="module")
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def elements(text: str) -> Elements:
    return Elements(text)


def test_the_policy_allows_this_script_and_nothing_from_elsewhere(elements: Elements) -> None:
    (meta,) = (m for m in elements.having("http-equiv"))
    policy = dict(part.strip().split(" ", 1) for part in meta["content"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "data:"
    running = [said for attributes, said in elements.scripts if "type" not in attributes]
    digest = base64.b64encode(hashlib.sha256(running[0].encode()).digest()).decode()
    assert len(running) == 1
    assert policy["script-src"] == f"'sha256-{digest}'"


def test_nothing_is_fetched(text: str, elements: Elements) -> None:
    for name in ("src", "href", "srcset", "action", "data", "poster"):
        for attributes in elements.having(name):
            assert attributes[name].startswith(("#", "data:")), attributes
    assert all(address.startswith("data:") for address in re.findall(r"url\(\"?([^)]*)", text))
    assert "@import" not in text


def test_every_link_has_a_target_and_every_id_is_unique(elements: Elements) -> None:
    ids = [attributes["id"] for attributes in elements.having("id")]
    assert len(ids) == len(set(ids))
    links = {a["href"][1:] for a in elements.having("href") if a["href"].startswith("#")}
    assert links <= set(ids)
    assert {a["aria-labelledby"] for a in elements.having("aria-labelledby")} <= set(ids)


def test_pictures_and_charts_are_described(elements: Elements) -> None:
    images = [a for a in elements.having("role") if a["role"] == "img"]
    assert len(images) > 100
    assert all(attributes["aria-label"] for attributes in images)
    assert any("validation: from" in attributes["aria-label"] for attributes in images)


def test_the_order_of_the_page(elements: Elements) -> None:
    headings = ("Training", "Evaluation", "Explanations")
    places = [elements.said.rindex(f"\n{heading}\n") for heading in headings]
    assert places == sorted(places)
    assert "ResNet-18 was fine-tuned for 10 epochs on 3,000 pictures" in elements.said
    assert elements.said.count("Where this comes from") == 3
    assert "How to make this again" in elements.said
    assert "76.1\N{NO-BREAK SPACE}%" in elements.said


def test_a_sample_knows_its_picture_and_its_explanation(elements: Elements) -> None:
    (samples,) = (json.loads(said) for a, said in elements.scripts if a.get("id") == "samples")
    known = samples["test/airplane/0000.jpg"]
    assert known["explanation"] == "section-3-view-1"
    assert known["ratio"] == "224/224"
    assert re.fullmatch(r"i\d+", known["picture"])


def test_one_result_has_its_whole_summary_in_the_header(make: Make, tmp_path: Path) -> None:
    result = make["result"]("evaluation", [], "First line.\nSecond line.")
    said = Elements(report(result, tmp_path / "r.html", note="Seen by me.").read_text("utf-8")).said
    assert said.count("First line.") == 1
    assert said.index("Seen by me.") < said.index("First line.") < said.index("Second line.")
    assert "Report on torchvision:resnet18" in said


def test_where_the_report_is_written(make: Make, tmp_path: Path) -> None:
    result = make["result"]("evaluation", [], "Words.")
    assert report(result, tmp_path) == tmp_path / "report.html"
    assert report(result, tmp_path / "new" / "a.html").is_file()


HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</style><script>alert(1)</script>",
    "]]>--><!--",
    "'+alert(1)+'",
    "javascript:alert(1)",
    "\x00\x1b\u2028\u2029",
)


def hostile_result(make: Make, word: str) -> Any:
    axis = Axis(label=word, unit=word)
    pixels = make["crop"](0, 32)
    picture = Picture(pixels=pixels, sample=word, label=word, tone="bad")
    bars = Bars(
        title=word,
        caption=word,
        categories=(word, "b"),
        series=(BarSeries(name=word, values=np.ones(2)),),
        value=axis,
    )
    series = Series(name=word, x=np.arange(3.0), y=np.arange(3.0))
    words = {"title": word, "caption": word}
    explained = make["explanation"](count=1).views()[0]
    views = [
        Lines(**words, series=(series, series), x=axis, y=axis),
        bars,
        Bars(**words, categories=bars.categories, series=bars.series, value=axis, horizontal=False),
        Histogram(
            **words, edges=np.arange(3.0), counts={word: np.ones(2), "b": np.ones(2)}, x=axis
        ),
        Matrix(
            **words,
            values=np.eye(2),
            rows=(word, "b"),
            columns=(word, "b"),
            x=axis,
            y=axis,
            value=axis,
            members={(0, 0): (word,)},
        ),
        ImageGrid(**words, pictures=(picture,)),
        Overlay(**words, picture=picture, maps=explained.maps, probabilities=bars),
        Tokens(**words, tokens=(word,), values=np.ones(1), limit=1.0, sample=word),
        Table(**words, columns=(make["column"](word),)),
        Text(**words, paragraphs=(word,)),
        Graph(
            **words,
            labels=(word, word),
            types=(word, word),
            kinds=("input", "output"),
            parents=np.array([-1, -1]),
            times=np.array([1, 1]),
            sources=np.array([0]),
            targets=np.array([1]),
            edge_kinds=("data",),
            details=(Column(name=word, values=(word, word)),),
        ),
    ]
    return make["result"](
        word,
        views,
        word,
        method=word,
        parameters={word: word, "list": [{word: word}]},
        notes=(word,),
        figures=[(word, word, word)],
    )


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_stay_words(make: Make, word: str, tmp_path: Path) -> None:
    page = report(hostile_result(make, word), tmp_path / "r.html", title=word, note=word)
    seen = Elements(page.read_text(encoding="utf-8"))
    plain = Elements(
        report(
            hostile_result(make, "plain"), tmp_path / "p.html", title="plain", note="plain"
        ).read_text(encoding="utf-8")
    )
    assert [tag for tag, _ in seen.found] == [tag for tag, _ in plain.found]
    for (tag, attributes), (_, expected) in zip(seen.found, plain.found, strict=True):
        assert attributes.keys() == expected.keys(), tag
    assert len(seen.scripts) == len(plain.scripts)
    (cells,) = (json.loads(s) for a, s in seen.scripts if a.get("class") == "cells")
    assert cells["cells"] == {"0,0": [word]}


def test_a_confusion_cell_counts_all_its_samples(make: Make, tmp_path: Path) -> None:
    matrix = make["confusion"](samples=9000)
    page = report(make["result"]("evaluation", [matrix], "W."), tmp_path / "r.html")
    seen = Elements(page.read_text(encoding="utf-8"))
    (cells,) = (json.loads(s) for a, s in seen.scripts if a.get("class") == "cells")
    assert len(cells["cells"]["0,0"]) == 100
    (button,) = (a for a in seen.having("data-cell") if a["data-cell"] == "0,0")
    assert int(button["data-count"]) == matrix.values[0, 0] > 500
    assert button["aria-label"].startswith("true class airplane, predicted airplane: ")


def test_a_matrix_of_many_classes_becomes_a_picture(make: Make, tmp_path: Path) -> None:
    names = tuple(f"species {index}" for index in range(300))
    matrix = make["confusion"](names, 3000)
    page = report(make["result"]("evaluation", [matrix], "W."), tmp_path / "r.html")
    assert page.stat().st_size < 5e5
    seen = Elements(page.read_text(encoding="utf-8"))
    cells = [tuple(map(int, a["data-cell"].split(","))) for a in seen.having("data-cell")]
    assert len(cells) == 30
    assert all(row != column for row, column in cells)
    assert "The 30 largest cells off the diagonal:" in seen.said


def test_narrow_views_go_in_pairs(make: Make, tmp_path: Path) -> None:
    line = make["training"]().views()[0]
    wide = Text(title="t", paragraphs=("w",))
    result = make["result"]("run", [line, line, line, wide, line], "W.")
    seen = Elements(report(result, tmp_path / "r.html").read_text(encoding="utf-8"))
    kinds = [a["class"] for a in seen.having("data-kind")]
    assert kinds == ["card half", "card half", "card alone", "card wide", "card alone"]


def tokens(name: str) -> dict[str, str]:
    style = (files("pellucid.reporting") / name).read_text("utf-8")
    block = re.search(r":root \{(.*?)\}", style, re.S)
    return dict(re.findall(r"--([\w-]+): ([^;]+);", block[1] if block else style))


def colour(value: str) -> np.ndarray:
    if value.startswith("#"):
        digits = value[1:] if len(value) == 7 else "".join(2 * digit for digit in value[1:])
        return np.array(tuple(bytes.fromhex(digits)), dtype=float)
    return np.array([float(part) for part in value.split()])


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    lights = []
    for each in (one, other):
        part = each / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        lights.append(float(linear @ np.array([0.2126, 0.7152, 0.0722])) + 0.05)
    return max(lights) / min(lights)


@pytest.mark.parametrize("theme", ["page.css", "dark.css"])
def test_text_can_be_read(theme: str) -> None:
    names = tokens(theme)
    for ground in ("ground", "card"):
        for ink in ("ink", "soft", "accent", "good", "bad"):
            assert contrast(colour(names[ink]), colour(names[ground])) >= 4.5, (ink, ground)
    for side in ("for", "against"):
        part = float(names["mark"])
        mark = part * colour(names[side]) + (1 - part) * colour(names["card"])
        assert contrast(colour(names["ink"]), mark) >= 4.5, side


@pytest.mark.parametrize("theme", ["page.css", "dark.css"])
@pytest.mark.parametrize("side", ["right", "wrong", "for", "against"])
def test_numbers_can_be_read_on_every_shade(theme: str, side: str) -> None:
    names = tokens(theme)
    for shade in np.arange(0, 1.0001, 0.01):
        depth = "high" if shade >= HIGH else "mid" if shade >= MIDDLE else "low"
        mixed = shade * colour(names[side]) + (1 - shade) * colour(names["card"])
        assert contrast(colour(names[f"on-{depth}"]), mixed) >= 4.4, (shade, depth)


def test_names_of_layers_lose_what_all_of_them_share() -> None:
    layers = ("bert.encoder.layer.0.self", "bert.encoder.layer.11.self")
    assert told_apart(layers) == ["0", "11"]
    assert told_apart(("cat", "dog")) == ["cat", "dog"]
    assert told_apart(("a.b", "a.b")) == ["b", "b"]
    assert told_apart(("only.one",)) == ["only.one"]
