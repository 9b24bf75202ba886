"""The package as a stranger meets it: its import, its verbs, its examples."""

from __future__ import annotations

import doctest
import pkgutil
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

import pellucid
from pellucid.attribution import attribute


def test_importing_pulls_in_no_heavy_package():
    heavy = "torch numpy xarray matplotlib sklearn sqlalchemy typer rich"
    check = f"import pellucid, sys; print([m for m in {heavy.split()} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", pellucid.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert getattr(pellucid, name).__doc__


def test_unknown_names_raise_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'fintune'"):
        pellucid.fintune  # noqa: B018


def test_everything_that_is_registered_can_be_imported():
    groups = [g for g in entry_points().groups if g.startswith("pellucid.")]
    assert len(groups) == 4
    for group in groups:
        for entry in entry_points(group=group):
            if entry.module.startswith("pellucid."):
                assert callable(entry.load())


def test_examples_in_docstrings_run():
    failed, tried = doctest.testmod(attribute)
    assert (failed, tried > 0) == (0, True)


def test_no_folder_takes_the_name_of_a_verb():
    folders = {module.name for module in pkgutil.iter_modules(pellucid.__path__)}
    assert not folders & set(pellucid.__all__)
