"""How often the tests try what the full benches try, with fixed seeds; printed at the head of every test run."""

REDUCED = {  # in the tests, in the full bench
    "streams framed anew": (300, 250_000),
    "streams cut off": (300, 250_000),
    "streams garbled": (400, 500_000),
    "answers garbled": (120, 30_000),
    "files after an accident": (120, 6_000),
    "files of strangers": (40, 4_000),
    "texts graded": (60, 10_000),
    "files added by strangers": (36, 500),
    "styles and cheats graded": (8, 324),
}
EVIDENCE = {"streams made untrue": (2_200, 100_000), "honest streams": (800, 20_000)}  # the same, of `bench evidence`


def line() -> str:
    """The counts in one line."""
    return "reduced counts: " + ", ".join(
        f"{few:,} {what} of {many:,}" for what, (few, many) in (REDUCED | EVIDENCE).items()
    )
