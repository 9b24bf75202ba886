import json
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from pellucid.reporting.html import Markup, data_block, element, join, prose, text


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


words = st.text(st.characters(exclude_categories=("Cc", "Cs")))


@given(words, words)
def test_any_text_comes_back_as_text(inside: str, attribute: str) -> None:
    reader = read(element("p", inside, title=attribute))
    assert reader.tags == [("p", {"title": attribute})]
    assert reader.said == inside


@given(st.text())
def test_any_json_stays_in_its_block(value: str) -> None:
    block = data_block({"value": [value]}, id="x")
    reader = read(block)
    assert [tag for tag, _ in reader.tags] == ["script"]
    assert json.loads(reader.said) == {"value": [value]}


def test_control_characters_are_shown() -> None:
    shown = "\N{REPLACEMENT CHARACTER}"
    assert text("a\x00b\x1b[0m\ud800") == f"a{shown}b{shown}[0m{shown}"
    assert text("a\nb\tc\N{NO-BREAK SPACE}d\N{ZERO WIDTH JOINER}") == (
        "a\nb\tc\N{NO-BREAK SPACE}d\N{ZERO WIDTH JOINER}"
    )


def test_attributes() -> None:
    made = element("input", class_="a b", aria_label='"', hidden=True, lang=None, open=False, min=0)
    assert made == '<input class="a b" aria-label="&quot;" hidden min="0">'


def test_only_what_was_made_here_is_markup() -> None:
    inner = element("b", "<i>")
    assert element("p", inner, "<i>", None) == "<p><b>&lt;i&gt;</b>&lt;i&gt;</p>"
    assert isinstance(join([inner, "&"]), Markup)
    assert not isinstance(inner + "x", Markup)


def test_per_cent_signs_stay_with_their_number() -> None:
    assert prose("95 % of 10 %") == "95\N{NO-BREAK SPACE}% of 10\N{NO-BREAK SPACE}%"
