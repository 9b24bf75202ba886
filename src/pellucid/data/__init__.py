"""Data: opening it, reading it batch by batch, and what was wrong with it."""

from pellucid.data.loading import Batch, Batches, in_order
from pellucid.data.protocol import UNLABELLED, Data, InputKind, Sample
from pellucid.data.report import DataReport, Problem

__all__ = [
    "UNLABELLED",
    "Batch",
    "Batches",
    "Data",
    "DataReport",
    "InputKind",
    "Problem",
    "Sample",
    "in_order",
]
