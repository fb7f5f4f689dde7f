"""Light prediction with ONNX Runtime or LiteRT; never imports Keras."""
