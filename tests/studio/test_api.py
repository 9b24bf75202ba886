"""The API keeps its word: its schema is the one that the page was made from, and it holds for any request."""

from __future__ import annotations

import contextlib
import importlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import uvicorn
from fastapi.testclient import TestClient
from tests.studio.conftest import TOKEN, make_record, make_result, metric_lines

from pellucid import studio as studio_package
from pellucid.attribution.registry import methods
from pellucid.studio.app import create_app
from pellucid.studio.openapi import openapi
from pellucid.studio.serve import bind
from pellucid.studio.state import Settings
from pellucid.studio.warming import MODULES
from pellucid.workspace.workspace import Workspace

schemathesis = pytest.importorskip("schemathesis")
WEB = Path(studio_package.__file__).parent / "web" / "src" / "lib"
ENDLESS = r"/events$"
schemathesis.checks.load_all_checks()
CHECKS = schemathesis.checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)


def test_the_page_was_made_from_this_schema() -> None:
    fresh = (WEB / "openapi.json").read_text("utf-8")
    assert fresh == openapi(), (
        "the API has changed: python -m pellucid.studio.openapi > src/pellucid/studio/web/src/lib/"
        "openapi.json, then npm run types in src/pellucid/studio/web"
    )


def test_errors_have_one_shape_in_the_schema(client: TestClient) -> None:
    schema = client.get("/api/openapi.json").json()
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for status in ("401", "403", "404", "422"):
                told = operation["responses"][status]["content"]["application/json"]["schema"]
                assert told == {"$ref": "#/components/schemas/ErrorBody"}, (path, method)
            assert operation.get("description"), f"{method} {path} does not say what it is for"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A real server with one run and one result; its address, and ids to ask for."""
    # Hypothesis and imports in another thread do not go together: both set how deep calls may go.
    for module in MODULES:
        importlib.import_module(module)
    methods()
    workspace = Workspace(tmp_path_factory.mktemp("api") / "workspace")
    path = workspace.path / "runs" / "pets"
    path.mkdir(parents=True)
    record = make_record(workspace.path, "pets")
    (path / "metrics.jsonl").write_text(metric_lines(100))
    workspace.register_run(record, path)
    (path / "run.json").write_text(json.dumps(record))
    workspace.add(make_result())
    listening = bind("127.0.0.1", 0)
    port = listening.getsockname()[1]
    app = create_app(Settings(workspace=workspace.path, port=port, token=TOKEN))
    listing = app.state.studio.contents.listing()
    ids = {"runs": next(iter(listing.runs)), "results": next(iter(listing.results))}
    running = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{port}", ids
    running.should_exit = True
    thread.join(timeout=60)
    with contextlib.suppress(OSError):
        listening.close()
    assert not thread.is_alive()


@pytest.mark.slow
@pytest.mark.parametrize("examples", [3, pytest.param(25, marks=pytest.mark.thorough)])
def test_any_request_is_answered_as_the_schema_says(
    server: tuple[str, dict[str, str]], examples: int
) -> None:
    address, ids = server
    schema = schemathesis.openapi.from_dict(json.loads(openapi())).exclude(path_regex=ENDLESS)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 25
    failures = []
    for operation in operations:
        try:
            _try(operation, address, ids, examples)
        except schemathesis.core.failures.FailureGroup as failed:
            failures.append(f"{operation.label}: {failed}")
    assert not failures, "\n\n".join(failures)


def _try(operation: Any, address: str, ids: dict[str, str], examples: int) -> None:
    """Send requests that fit the schema, and some that do not; half of them name what is there."""
    known = ids.get(operation.path.split("/")[2])

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(), named=hypothesis.strategies.booleans())
    def send(case: Any, named: bool) -> None:
        if known and named and "id" in case.path_parameters:
            case.path_parameters["id"] = known
            case.path_parameters |= {"n": 0} if "n" in case.path_parameters else {}
        headers = {"authorization": f"Bearer {TOKEN}"}
        reply = case.call(base_url=address, headers=headers, timeout=300)
        case.validate_response(reply, checks=CHECKS)

    send()
