"""What there is to see of activations, most important first."""

from __future__ import annotations

import xarray as xr

from pellucid.inside.activations.views_heads import head_views
from pellucid.inside.activations.views_layers import layer_views
from pellucid.inside.activations.views_maps import map_views
from pellucid.inside.activations.views_redundancy import redundancy_views
from pellucid.inside.activations.views_states import state_views
from pellucid.inside.activations.views_units import unit_views
from pellucid.views import View


def activations_views(data: xr.Dataset) -> list[View]:
    """Layers; what units respond to; redundancy; maps, attention and states of shown samples."""
    return [
        *layer_views(data),
        *unit_views(data),
        *redundancy_views(data),
        *map_views(data),
        *head_views(data),
        *state_views(data),
    ]
