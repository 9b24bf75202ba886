"""Ways through the studio: every link leads to a page that opens, and tabs know of one another."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

STARTS = (
    "/",
    "/?show=results",
    "/runs/{run}",
    "/results/{evaluation}",
    "/results/{explanation}",
    "/results/{comparison}",
    "/errors?result={evaluation}&show=all",
    "/compare?result={comparison}&show=all",
    "/model?model=run%3A{run}",
    "/report?result={evaluation}",
    "/jobs",
)
LINKS = """() => [...document.querySelectorAll("a[href]")]
  .filter((link) => link.origin === location.origin && !link.pathname.startsWith("/api/"))
  .map((link) => link.pathname + link.search)"""


@pytest.mark.thorough
def test_every_link_opens_its_page(studio: Any, visit: Any, trained: Any, settle: Any) -> None:
    page = visit(studio)
    followed: set[tuple[str, ...]] = set()
    waiting = [(start.format(**vars(trained)), "the test") for start in STARTS]
    while waiting:
        address, origin = waiting.pop()
        if kind_of(address) in followed:
            continue
        followed.add(kind_of(address))
        page.goto(studio.address + address)
        settle(page)
        assert not page.get_by_text("There is no page at this address").count(), (address, origin)
        assert not page.get_by_role("alert").count(), (address, origin)
        waiting += [(link, address) for link in page.evaluate(LINKS)]
    pages = {kind[0] for kind in followed}
    assert {"/runs/ID", "/results/ID", "/errors", "/compare", "/explain", "/model"} <= pages


def kind_of(address: str) -> tuple[str, ...]:
    """Addresses that differ by what they name alone are of one kind."""
    parts = urlsplit(address)
    path = re.sub(r"^/(runs|results)/.+", r"/\1/ID", parts.path)
    named = (name if "." not in value else f"{name}.part" for name, value in parse_qsl(parts.query))
    return (path, *sorted(set(named)))


def test_two_tabs_follow_the_same_work(studio: Any, visit: Any, trained: Any) -> None:
    first = visit(studio, "/jobs")
    first.get_by_role("article").first.wait_for()
    second = first.context.new_page()
    second.goto(f"{studio.address}/jobs")
    second.get_by_role("article").first.wait_for()
    known = second.get_by_role("article").count()
    model = {"reference": f"run:{trained.run}"}
    studio.ask("/jobs", {"kind": "inspect", "model": model, "parts": ["structure"]})
    for tab in (first, second):
        tab.get_by_role("article").nth(known).wait_for()
    first.close()  # it was the one that listened to the server
    newest = second.get_by_role("article").first
    newest.get_by_text(re.compile(r"^\W*done$")).wait_for()
