import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.reporting.report import report
from pellucid.reporting.sections import Excerpt
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
MEGABYTES = 2**20


class Elements(HTMLParser):
    """All elements of a page with their attributes, what scripts hold, and what is said."""

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

    @property
    def record(self) -> dict[str, Any]:
        (written,) = (said for a, said in self.scripts if a.get("id") == "record")
        found: dict[str, Any] = json.loads(written)
        return found

    @property
    def running(self) -> list[str]:
        return [said for attributes, said in self.scripts if "type" not in attributes]


def read(path: Path) -> Elements:
    return Elements(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def elements(page: Path) -> Elements:
    return read(page)


def test_the_policy_allows_this_script_and_nothing_from_elsewhere(elements: Elements) -> None:
    (meta,) = elements.having("http-equiv")
    policy = dict(part.strip().split(" ", 1) for part in meta["content"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "data: blob:"
    (script,) = elements.running
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["script-src"] == f"'sha256-{digest}'"


def test_nothing_is_fetched(page: Path, elements: Elements) -> None:
    for name in ("src", "href", "srcset", "action", "data", "poster"):
        for attributes in elements.having(name):
            assert attributes[name].startswith(("#", "data:")), attributes
    style = re.search(r"<style>(.*?)</style>", page.read_text("utf-8"), re.DOTALL)
    assert style is not None
    assert all(place.startswith("data:") for place in re.findall(r"url\(\"?([^)]*)", style[1]))
    assert "@import" not in style[1]


def test_the_order_of_the_page(elements: Elements) -> None:
    record = elements.record
    titles = [section["title"] for section in record["sections"]]
    assert titles == ["Training", "Evaluation", "Explanations"]
    assert record["lead"].startswith("ResNet-18 was fine-tuned for 10 epochs on 3,000 pictures")
    assert record["figures"][0] == [
        "Best validation accuracy",
        "76.1\N{NO-BREAK SPACE}%",
        "epoch 9 of 10",
    ]
    assert ["seed", "0"] in record["sections"][1]["origin"]
    assert record["sections"][1]["commands"][1].startswith("pellucid evaluate torchvision:resnet18")


def test_every_view_has_its_block(elements: Elements) -> None:
    entries = [view for section in elements.record["sections"] for view in section["views"]]
    blocks = {a["id"]: said for a, said in elements.scripts if a.get("id", "").startswith("data-")}
    assert [view["block"] for view in entries] == list(blocks)
    assert len({view["id"] for view in entries}) == len(entries) == 27
    assert all(zlib.decompress(base64.b64decode(said)) for said in blocks.values())
    explained = [view["sample"] for view in entries if view["sample"]]
    assert explained[0] == "test/airplane/0000.jpg"
    assert len(explained) == 17


def test_without_a_script_there_are_words(elements: Elements) -> None:
    for words in ("Confusion matrix", "Each row is a true class", "16 pictures were explained"):
        assert words in elements.said


def test_one_result_has_its_whole_summary_in_the_header(make: Make, tmp_path: Path) -> None:
    result = make["result"]("evaluation", [], "First line.\nSecond line.")
    record = read(report(result, tmp_path / "r.html", note="Seen by me.")).record
    assert record["lead"] == "First line.\nSecond line."
    assert record["note"] == "Seen by me."
    assert record["title"] == "Report on torchvision:resnet18"


def test_an_excerpt_shows_what_was_chosen_with_a_comment(make: Make, tmp_path: Path) -> None:
    chosen = Excerpt(source=make["evaluation"](), views=(3, 0), comment="Look at the diagonal.")
    (section,) = read(report([chosen], tmp_path / "r.html")).record["sections"]
    assert [view["title"] for view in section["views"]] == ["Calibration", "Confusion matrix"]
    assert section["comment"] == "Look at the diagonal."


def test_where_the_report_is_written(make: Make, tmp_path: Path) -> None:
    result = make["result"]("evaluation", [], "Words.")
    assert report(result, tmp_path) == tmp_path / "report.html"
    assert report(result, tmp_path / "new" / "a.html").is_file()


def test_two_hundred_explained_samples_stay_small(make: Make, tmp_path: Path) -> None:
    overlays = make["explanation"](count=8).views()[:8]
    many = [make["moved"](overlays[n % 8], n) for n in range(200)]
    page = report(make["result"]("explanation", many, "Words."), tmp_path / "r.html")
    assert page.stat().st_size < 20 * MEGABYTES


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
    pages = [
        read(report(hostile_result(make, told), tmp_path / "r.html", title=told, note=told))
        for told in (word, "plain")
    ]
    seen, plain = pages
    assert [tag for tag, _ in seen.found] == [tag for tag, _ in plain.found]
    for (tag, attributes), (_, expected) in zip(seen.found, plain.found, strict=True):
        assert attributes.keys() == expected.keys(), tag
    assert seen.running == plain.running
    assert seen.record["title"] == word
