"""Files instead of a camera: images, folders of labelled images, and how well they were classified."""
