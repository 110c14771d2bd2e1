"""Columnar messages: Arrow IPC streams and Parquet files."""

from bimetal.wire.codecs.columnar.table import ArrowCodec, ParquetCodec

__all__ = ["ArrowCodec", "ParquetCodec"]
