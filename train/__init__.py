"""Facial expression model: data, training, evaluation, export."""
