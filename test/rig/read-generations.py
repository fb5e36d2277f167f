"""Reads a results database in a loop, as docs/results-database.md says: read-generations.py <folder> <pandas | duckdb>

Prints a line for each generation that it saw whole: "<records> <records of different samples>".
"""

import json
import os
import sys
import time

folder, reader = sys.argv[1:]


def read_parts():
    with open(os.path.join(folder, "manifest.json")) as manifest:
        return [os.path.join(folder, part["path"]) for part in json.load(manifest)["parts"]]


def samples_by_pandas(parts):
    import pandas as pd

    read = lambda path: pd.read_parquet(path) if path.endswith(".parquet") else pd.read_json(path, lines=True)
    return list(pd.concat(read(path) for path in parts)["sample"])


def samples_by_duckdb(parts):
    import duckdb

    source = duckdb.read_parquet if parts[0].endswith(".parquet") else duckdb.read_json
    return [row[0] for row in source(parts).project("sample").fetchall()]


def is_replaced(error):
    """DuckDB says it by an exception of its own."""
    return isinstance(error, FileNotFoundError) or "No such file" in str(error) or "No files found" in str(error)


while True:
    time.sleep(0.02)
    try:
        parts = read_parts()
        if not parts:
            continue
        samples = samples_by_pandas(parts) if reader == "pandas" else samples_by_duckdb(parts)
    except Exception as error:
        # A part was just replaced, or nothing was collected yet: the manifest is read again.
        if is_replaced(error):
            continue
        raise
    print(len(samples), len(set(samples)), flush=True)
