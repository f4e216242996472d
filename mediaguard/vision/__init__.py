"""What looks: detectors, embedders, quality and their model files."""
