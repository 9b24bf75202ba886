"""Exports, for people and for other tools."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pellucid.errors import SpecError
from pellucid.inside.structure import Structure, export
from pellucid.inside.structure.arrays import arrays
from pellucid.inside.structure.parts import Module, Operator, Parts
from pellucid.result import ModelIdentity, Provenance

HOSTILE = '"]; subgraph <b>&amp;\n\\" `x` $a$ {}|#59; end\x07'


def hostile() -> Structure:
    """A structure whose names try to break out of every format."""
    operators = (
        Operator(name=HOSTILE, operator="input", kind="input", shape="n × 3"),
        Operator(name="a", operator=HOSTILE, path=(HOSTILE, "a/b"), inputs=(0,), shape=HOSTILE),
        Operator(name="b", operator="relu", path=(HOSTILE,), inputs=(1,)),
        Operator(name="output", operator="output", kind="output", inputs=(2,)),
    )
    parts = Parts(
        operators=operators,
        modules={
            (): Module(type=HOSTILE, parameters=0),
            (HOSTILE,): Module(type=HOSTILE, parameters=0),
        },
        how="export",
    )
    meta = Provenance(kind="structure", model=ModelIdentity(source=HOSTILE, weights="x"))
    return Structure(data=arrays(parts), meta=meta)


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_drawings_are_files_of_their_kind(small, tmp_path, suffix):
    content = small.export(tmp_path / f"model.{suffix}").read_bytes()
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}
    assert content.startswith(starts[suffix])


def test_a_drawing_has_text_and_fits_a_page(small, tmp_path):
    tree = ET.parse(small.export(tmp_path / "model.svg", depth=9))
    words = "\n".join("".join(e.itertext()) for e in tree.iter() if e.tag.endswith("text"))
    for expected in ("stem", "Block ×3", "attention", "softmax", "output"):
        assert expected in words
    width = float(tree.getroot().attrib["width"].removesuffix("pt"))
    assert width <= 8.0 * 72


def test_a_large_graph_is_closed_until_it_can_be_read(tmp_path):
    """Sixty groups of three different operators each, all asked to be open."""
    operators = [Operator(name="x", operator="input", kind="input")]
    for place in range(180):
        name, path = f"op {place % 3}", (f"part {place // 3}",)
        shape = f"n × {place}"
        operators.append(
            Operator(name=name, operator=name, path=path, inputs=(place,), shape=shape)
        )
    parts = Parts(operators=tuple(operators), modules={}, how="export")
    structure = Structure(data=arrays(parts), meta=Provenance(kind="structure"))
    path = structure.export(tmp_path / "model.svg", depth=9)
    root = ET.parse(path).getroot()
    assert float(root.attrib["width"].removesuffix("pt")) <= 8.0 * 72
    words = [e for e in root.iter() if e.tag.endswith("text")]
    assert 60 < len(words) < 260


def test_mermaid_by_hand(small, tmp_path):
    text = small.export(tmp_path / "model.mmd", depth=0).read_text()
    assert text.startswith("flowchart TB\n")
    lines = text.splitlines()
    boxes = {m[1]: m[2] for line in lines if (m := re.match(r'  (n\d+)[\[(]+"([^<"]+)', line))}
    arrows = [
        re.match(r"  (n\d+) .*> (n\d+)", line) for line in lines if ">" in line and "[" not in line
    ]
    names = [(boxes[m[1]], boxes[m[2]]) for m in arrows if m]
    assert ("input", "stem") in names
    assert ("stem", "blocks") in names
    assert "subgraph" not in text
    opened = small.export(tmp_path / "m.mmd", depth=2).read_text()
    assert opened.count("subgraph") == opened.count("end\n") > 1
    assert "-. residual .->" in opened


def test_groups_are_opened_by_name(small, tmp_path):
    text = small.export(tmp_path / "m.mmd", open="attention").read_text()
    assert text.count("subgraph") == 1
    assert "softmax" in text
    with pytest.raises(SpecError, match=r"no group 'atention' to open. Closest: 'attention'"):
        small.export(tmp_path / "m.mmd", open="atention")
    with pytest.raises(SpecError, match="depth is -1"):
        small.export(tmp_path / "m.mmd", depth=-1)


def test_model_explorer_has_its_format(small, tmp_path):
    """github.com/google-ai-edge/model-explorer, graph_builder.py."""
    record = json.loads(export(small, tmp_path / "m.model_explorer.json").read_text())
    (graph,) = record["graphs"]
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert len(nodes) == small.data.sizes["node"]
    edges = [edge for node in nodes.values() for edge in node["incomingEdges"]]
    assert len(edges) == small.data.sizes["edge"]
    assert all(edge["sourceNodeId"] in nodes for edge in edges)
    assert {frozenset(edge) for edge in edges} == {
        frozenset({"sourceNodeId", "sourceNodeOutputId", "targetNodeInputId"})
    }
    spaces = {node["namespace"] for node in nodes.values()}
    assert "blocks/0" in spaces
    assert spaces - {""} <= set(graph["groupNodeAttributes"])
    assert all(isinstance(a["value"], str) for node in nodes.values() for a in node["attrs"])


def test_json_is_that_of_the_result(small, tmp_path):
    assert json.loads(small.export(tmp_path / "m.json").read_text()) == small.to_json()


def test_hostile_names_stay_names(tmp_path: Path):
    structure = hostile()
    text = structure.export(tmp_path / "m.mmd", depth=9).read_text()
    for line in text.splitlines()[1:]:
        assert re.fullmatch(
            r'\s*(subgraph g\d+\["[^"\]\[<>`{}|]*(<br/>[^"\]\[<>`{}|]*)*"\]|end|n\d+[(\[]"[^"]*"[)\]]|'
            r"n\d+ (-->|-\. \w+ \.->) n\d+|style n\d+ [\w:#,-]+)",
            line,
        ), line
    text = structure.export(tmp_path / "m.dot", depth=9).read_text()
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    assert "<b>" not in outside
    assert outside.count("{") == outside.count("}") == 2
    assert "\x07" not in text
    ET.parse(structure.export(tmp_path / "m.svg", depth=9))
    structure.export(tmp_path / "m.pdf", depth=9)
    record = json.loads(structure.export(tmp_path / "m.model_explorer.json").read_text())
    assert {node["namespace"].count("/") for node in record["graphs"][0]["nodes"]} == {0}


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it(small, tmp_path):
    for structure in (small, hostile()):
        path = structure.export(tmp_path / "m.dot", depth=9)
        subprocess.run(["dot", "-Tsvg", "-o", tmp_path / "m.svg", path], check=True)


def test_an_unknown_suffix_is_told(small, tmp_path):
    with pytest.raises(
        SpecError, match=r"cannot be written as '.jpeg'; expected one of .svg, .pdf"
    ):
        small.export(tmp_path / "m.jpeg")
    assert not list(tmp_path.iterdir())
