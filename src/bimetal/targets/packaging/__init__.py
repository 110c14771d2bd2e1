"""Emitted C as the folder that a build system or a board's own tools expect."""
