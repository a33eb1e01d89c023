"""The many spectra of one file, to choose from."""
