"""Reads `results/`, decides and draws: warehouse (facts) → views (numbers) → charts (pixels) → pages (words)."""
