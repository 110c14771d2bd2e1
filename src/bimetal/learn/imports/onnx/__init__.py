"""ONNX models, read as the objects that the onnx package loads; onnx itself is never imported."""
