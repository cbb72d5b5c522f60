"""[signatures]: when they are too old, and how new ones come into force."""

from typing import Annotated

from pydantic import Field

from service_kit.config import Settings


class SignatureSettings(Settings):
    stale_after_s: Annotated[float, Field(gt=0)] = 3 * 24 * 3600.0
    """Age in seconds from which an engine's signature database is stale: told, counted, shown at
    /readyz, and no reason to stay away. ClamAV publishes one a day."""
