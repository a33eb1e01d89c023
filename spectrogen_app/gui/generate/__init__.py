"""The Generate task: from spectra of one sample to other modalities."""
