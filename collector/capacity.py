"""What one file of results may hold at most: far more than any run gives, and little enough for any reader.

The store keeps to it, and site, `validate` and `review` leave a file out that does not.
"""

FILE_BYTES = 5_000_000  # a run of a whole day with every token's time in it is below 1 MB
UNPACKED_BYTES = 64_000_000  # of all its columns, in memory; that day's take 30 MB
ROWS = 5_000  # operations; a day of requests of half a minute each has 3,000 and as many readings of the machine
LISTED = {"chunks": 500_000, "memory": 400_000}  # entries in all rows; a day has 345,600 samples, 6 tokens/s of it
LISTED_ELSE = 50_000
AT_ONCE = {"chunks": 150_000}  # entries in one row: no context holds more tokens
DISTINCT = 500  # names in one column; the largest suite has 14 prompts
NAME, WORDS = 1_000, 10_000  # characters
TEXT_BYTES = 2_000_000  # of what a model wrote at once: 131,072 tokens are well below 1 MB
WRITTEN_BYTES, DESCRIBING_BYTES = 4_000_000, 2_000_000  # of a column in all rows: pages and downloads hold them
WRITTEN = ("output_text", "reasoning_text")
DESCRIBING = ("error_detail", "detail", "preflight.detail", "environment.text", "environment.reason", "bench_settings")


def together(column: str) -> int:
    """Bytes that all texts in this column may have; of a name, each row's counts."""
    return WRITTEN_BYTES if column in WRITTEN else DESCRIBING_BYTES if column in DESCRIBING else UNPACKED_BYTES


def longest(column: str) -> int:
    """Characters that a text in this column may have; `column` as in `preflight.detail`."""
    return TEXT_BYTES if column in WRITTEN else WORDS if column in DESCRIBING else NAME
