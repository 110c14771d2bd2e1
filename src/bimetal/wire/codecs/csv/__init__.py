"""CSV: tables in text, read in blocks by pyarrow, with whatever separator a stranger chose."""

from bimetal.wire.codecs.csv.source import CsvSource

__all__ = ["CsvSource"]
