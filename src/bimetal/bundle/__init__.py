"""The signed file a device can check."""
