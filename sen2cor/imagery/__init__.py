"""Pixels on disk: JPEG 2000 with georeference, resampling, previews."""
