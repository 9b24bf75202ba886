"""What all of the API's schemas are made of: names, errors, key figures."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


Name = Annotated[str, Field(min_length=1, max_length=200)]


Note = Annotated[str, Field(max_length=10_000)]


Tag = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^,\x00-\x1f]+$")]


class Schema(BaseModel):
    """Fields are checked, and unknown ones refused."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """The one shape of all errors: `type` is the class in `pellucid.errors`, or an HTTP name."""

    type: str
    message: str
    details: dict[str, Any] = {}


class ErrorBody(Schema):
    """How every error is answered."""

    error: Problem


class Figure(Schema):
    """A key figure to show large: "Accuracy", "78.7 %", "95 % interval 75.2–81.8 %"."""

    label: str
    value: str
    detail: str = ""
