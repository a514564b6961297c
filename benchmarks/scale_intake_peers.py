"""The peer's job of scale_intake_bench.py: pandas.read_csv of the same file, with nothing checked.

usage: scale_intake_peers.py FILE ENCODING
"""

from __future__ import annotations

import sys

from measuring import job


def main(file: str, encoding: str) -> None:
    import pandas as pd

    with job() as said:
        read = pd.read_csv(file, encoding=encoding, dtype={"客户编号": str})
    said(rows=len(read))


if __name__ == "__main__":
    main(*sys.argv[1:])
