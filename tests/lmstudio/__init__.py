"""A double of LM Studio's server, after the notes on its wire protocol; `§` in this package is a section of them.

with Double(models=[DoubleModel("publisher/model")]) as double:
    httpx.get(f"{double.url}/api/v1/models")
"""

from tests.lmstudio.double import Double
from tests.lmstudio.engine import Engine
from tests.lmstudio.models import DoubleModel
from tests.lmstudio.state import CRASHED, GUARD_RAILS, OUT_OF_MEMORY, STARTUP_ABORTED, LoadFailed
from tests.lmstudio.tokens import Scripted, Step, steady

__all__ = [
    "CRASHED",
    "GUARD_RAILS",
    "OUT_OF_MEMORY",
    "STARTUP_ABORTED",
    "Double",
    "DoubleModel",
    "Engine",
    "LoadFailed",
    "Scripted",
    "Step",
    "steady",
]
