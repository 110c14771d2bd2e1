"""Metric: how well alarms and scores fit what is known to have been wrong."""
