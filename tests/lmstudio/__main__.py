"""A double to try things with: `scripts/lmstudio-double`, which see."""

import signal
import sys
import threading

import click

from tests.lmstudio.double import LMS, Double
from tests.lmstudio.engine import Engine
from tests.lmstudio.models import DoubleModel
from tests.lmstudio.state import OUT_OF_MEMORY, LoadFailed, UnknownModel
from tests.lmstudio.tokens import Scripted, steady


def catalog() -> list[DoubleModel]:
    """Both runtimes of one model at 4 bit, their keys spelt differently, and one that is too large to load."""
    return [
        DoubleModel(
            "mlx-community/SmolLM2-135M-Instruct-4bit",
            format="mlx",
            size_bytes=75_800_000,
            load_ms=400,
            auto_fit=131_072,
            slowdown=1.3,  # so that a comparison has something to find
        ),
        DoubleModel("unsloth/smollm2-135m-instruct@q4_k_m", load_ms=250),
        DoubleModel(
            "unsloth/minimax-m2.1@bf16",
            quantization="BF16",
            architecture="minimax-m2",
            size_bytes=457_000_000_000,
            params_string="230B-A10B",
            experts=8,
            load_ms=800,
            load_error=OUT_OF_MEMORY,
        ),
    ]


@click.command()
@click.option("--port", default=1234, show_default=True, help="0 takes a free one.")
@click.option(
    "--version", default="0.4.16", show_default=True, help="0.3.14 has /api/v0 only, and no loading over REST."
)
@click.option("--real", is_flag=True, help="Real tokens: a llama.cpp engine with a small model behind every model.")
@click.option("--load", "load", metavar="KEY", help="A model that is loaded already, as if in the app's window.")
def main(port: int, version: str, real: bool, load: str | None) -> None:
    """LM Studio's server, as far as `collect` needs it, without LM Studio and without a Mac."""
    script = Scripted(steady(400, ms=8, first_ms=100), prompt_tokens=None, ms_per_prompt_token=0.2)
    double = Double(catalog(), version=version, port=port, tokens=Engine() if real else script)
    try:
        double.start()
        if load:
            double.load(load)
    except OSError as error:
        sys.exit(f"error: port {port} cannot be used ({error.strerror}). Pass another with --port.")
    except (LoadFailed, UnknownModel) as failed:
        double.stop()
        sys.exit(f"error: {load} was not loaded: {failed}")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    click.echo(
        f"LM Studio {version}, a double, at {double.url}, with {'real' if real else 'scripted'} tokens. It holds:",
        err=True,
    )
    for model in double.state.models:
        is_loaded = ", loaded" if double.state.of_key(model.key) else ""
        fails = ", runs out of memory" if model.load_error else ""
        click.echo(f"  {model.key}  ({model.format}, {model.size_bytes / 1e9:,.1f} GB{is_loaded}{fails})", err=True)
    click.echo(f"For its `lms`:  export LMS_DOUBLE_URL={double.url} PATH={LMS.parent}:$PATH", err=True)
    click.echo("Ctrl-C ends it.", err=True)
    ended.wait()
    double.stop()


main()
