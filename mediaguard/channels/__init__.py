"""Where renditions go. Only `pipeline.release` calls these."""
