"""How pictures are sought: what is seldom changed, in one record."""

from __future__ import annotations

from dataclasses import dataclass, field

from pellucid.errors import SpecError
from pellucid.inside.features.transforms import Transforms


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of gradient ascent. The defaults are what `benchmarks/features.py` measures.

    `learning_rate` is the first one of Adam (None: the parameterization's own); it falls to zero
    over the second half of the steps. `decay` is the power with which waves weigh less the finer
    they are. `contrast` is the root mean square of a picture's colours before they become pixels;
    1.5 gives the standard deviation of photographs. `view` is the side in pixels at which the model
    is shown views in training (None: about 4/7 of its own size, where it takes that, since four
    small views cost as much as one large one). `diversity` and `total_variation` weigh the
    likeness of pictures of one objective, and the mean difference of neighbouring pixels, against
    the score. `octaves` are the sizes a photograph is dreamt at, each 1.4 times the one before.
    `num_views` is how many random views of the finished picture are shown to the model.
    Raises SpecError for values out of their bounds.
    """

    learning_rate: float | None = None
    decay: float = 1.5
    contrast: float = 1.5
    transforms: Transforms = field(default_factory=Transforms)
    view: int | None = None
    diversity: float = 1.0
    total_variation: float = 0.0
    octaves: int = 4
    num_views: int = 16

    def __post_init__(self) -> None:
        rate = 1.0 if self.learning_rate is None else self.learning_rate
        _above("learning_rate", rate, 0, inclusive=False)
        _above("contrast", self.contrast, 0, inclusive=False)
        _above("decay", self.decay, 0)
        _above("diversity", self.diversity, 0)
        _above("total_variation", self.total_variation, 0)
        _above("octaves", self.octaves, 1)
        _above("num_views", self.num_views, 1)
        _above("view", 1 if self.view is None else self.view, 1)


def _above(name: str, value: float, least: float, *, inclusive: bool = True) -> None:
    if not (value >= least if inclusive else value > least):
        expected = f"at least {least}" if inclusive else f"more than {least}"
        raise SpecError(f"{name}={value} was given; expected {expected}.")
