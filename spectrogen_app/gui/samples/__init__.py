"""The tree of samples and their spectra."""
