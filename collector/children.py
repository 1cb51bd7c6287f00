"""What programs that we start are given of our environment."""

import os

API_TOKEN = "LM_API_TOKEN"


def environment(**more: str) -> dict[str, str]:
    """Our environment and `more`, without the API token: no program that we start needs it."""
    return {**{name: value for name, value in os.environ.items() if name != API_TOKEN}, **more}
