"""Tiny models for the tests of this folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The functions of tiny_transformers.py."""
    pytest.importorskip("transformers")
    spec = importlib.util.spec_from_file_location("tiny", HERE / "tiny_transformers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def resnet_cifar() -> Path:
    """A Python file of a user, with the CIFAR ResNet-20."""
    return HERE / "resnet_cifar.py"
