"""Prints every row of the Parquet files in a folder as JSON, read by Spark as they come.

Run: python -m tests.cluster.spark_rows FOLDER, with an interpreter that has PySpark.
"""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession  # type: ignore[import-not-found]

HERE = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}

building = SparkSession.builder.master("local[1]")
for name, value in HERE.items():
    building = building.config(name, value)
readings = building.getOrCreate().read.parquet(sys.argv[1])
chosen = readings.selectExpr("device", "signal", "unix_micros(time) AS time", "value", "quality")
for line in chosen.orderBy("device", "signal", "time").toJSON().collect():
    print(line)
