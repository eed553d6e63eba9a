"""Networks that others trained: Keras, HDF5, SavedModel, LiteRT and ONNX files as classifiers."""
