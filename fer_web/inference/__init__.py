"""From faces to expression scores: model folders, classifiers and the pipeline."""
