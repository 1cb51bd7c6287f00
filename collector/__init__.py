"""Measures the model that a local server has loaded, and stores what happened.

The nouns, from large to small: a *run* is one `collect`, one Parquet file. It holds *operations* (load, probe,
warm-up, request, unload), one row each. A request holds *chunks*, one a streamed event, and *memory samples*.
Everything stored is a fact or an event; what it means (TTFT, TPS, peaks) is said in SQL, in `site_src/views`.
"""

__version__ = "0.1.0"
