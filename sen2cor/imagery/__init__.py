"""Images on disk: JPEG 2000 with georeference, Cloud-Optimized GeoTIFF, previews."""
