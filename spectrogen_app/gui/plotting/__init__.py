"""Spectrum plots: one panel per modality."""
