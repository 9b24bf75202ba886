"""Results in notebooks: a widget where a kernel is there, static pictures elsewhere."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from pellucid.front import asset
from pellucid.result import Provenance, Result
from pellucid.views import Axis, Bars, BarSeries, Text, View
from pellucid.views.notebook import widget
from pellucid.views.pack import pack

VIEW_TYPE = "application/vnd.jupyter.widget-view+json"


class Shown(Result):
    """A result of two views."""

    def views(self) -> list[View]:
        return views()

    def summary(self) -> str:
        return "Two views."


def views() -> list[View]:
    bars = Bars(
        title="Answers",
        categories=("cat", "dog"),
        series=(BarSeries(name="probability", values=np.array([0.9, 0.1])),),
        value=Axis(label="probability"),
    )
    return [bars, Text(title="Words", paragraphs=("A paragraph.",))]


@pytest.fixture
def result() -> Result:
    return Shown(data=xr.Dataset(), meta=Provenance(kind="shown"))


def test_without_a_kernel_there_are_pictures_alone(result: Result) -> None:
    assert result._repr_mimebundle_() == {}
    assert "data:image/png" in result._repr_html_()


def test_a_kernel_gets_a_widget(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("anywidget")
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    bundle = result._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {VIEW_TYPE}


def test_views_are_packed_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("anywidget")
    shown = widget("Two views.", views())
    assert shown.entries == [
        {"kind": "Bars", "title": "Answers"},
        {"kind": "Text", "title": "Words"},
    ]
    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr(type(shown), "send", lambda _, *said, **more: sent.append((said, more)))
    for wanted in (1, 7, "no", None):
        shown._handle_custom_msg({"want": wanted}, [])
    ((said, more),) = sent
    assert said == ({"view": 1},)
    assert more["buffers"] == [pack(views()[1], compact=True)]


def test_the_style_sheet_is_not_taken_for_the_style_of_a_widget() -> None:
    """Views of notebooks make a child of what is called "style", and fail if it is text."""
    pytest.importorskip("anywidget")
    shown = widget("Two views.", views())
    assert "stylesheet" in shown.keys
    assert "style" not in shown.keys


PAGE = """<!doctype html><body style="background: rgb(20, 20, 20)"><div id="cell"></div>
<script type="module">
  const packs = PACKS.map((text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0)));
  const module = await import(URL.createObjectURL(new Blob([SCRIPT], { type: "text/javascript" })));
  const state = { stylesheet: STYLE, summary: "Two views.", entries: ENTRIES };
  let listeners = [];
  const model = {
    get: (name) => state[name],
    set: (name, value) => (state[name] = value),
    on: (_, act) => listeners.push(act),
    off: (_, act) => (listeners = listeners.filter((each) => each !== act)),
    send: ({ want }) => setTimeout(() => listeners.forEach((act) =>
      act({ view: want }, [new DataView(packs[want].buffer)]))),
  };
  const cell = document.createElement("div"); // put into the page later, as notebooks do
  let close = module.default.render({ model, el: cell });
  setTimeout(() => document.getElementById("cell").append(cell), 300);
  window.lightUp = () => (document.body.style.background = "white");
  window.openSaved = () => {
    close();
    model.send = () => {}; // without a kernel
    cell.replaceChildren();
    close = module.default.render({ model, el: cell });
  };
</script>"""


@pytest.mark.browser
def test_the_widget_draws_in_a_tree_of_its_own(browser: Any, tmp_path: Path) -> None:
    filled = {
        "PACKS": [base64.b64encode(pack(view, compact=True)).decode() for view in views()],
        "SCRIPT": asset("widget/widget.js"),
        "STYLE": asset("widget/widget.css"),
        "ENTRIES": [{"kind": "Bars", "title": "Answers"}, {"kind": "Text", "title": "Words"}],
    }
    page = PAGE
    for name, value in filled.items():
        page = page.replace(name, json.dumps(value).replace("</", "<\\/"), 1)
    (tmp_path / "cell.html").write_text(page, encoding="utf-8")
    tab = browser.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto((tmp_path / "cell.html").as_uri())
    tab.get_by_role("heading", name="Answers").wait_for()
    tab.get_by_text("A paragraph.").wait_for()
    assert tab.locator("figure").count() == 2
    tab.locator("[data-theme=dark]").wait_for(state="attached")
    tab.evaluate("lightUp()")
    tab.locator("[data-theme=light]").wait_for(state="attached")
    tab.evaluate("openSaved()")
    tab.get_by_text("A paragraph.").wait_for()
    assert tab.locator("figure").count() == 2
    assert tab.evaluate("getComputedStyle(document.body).margin") == "8px"
    tab.close()
    assert complaints == []
