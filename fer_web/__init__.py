"""Live facial expression recognition in the browser."""
