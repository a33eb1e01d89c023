"""The wavelength of a powder pattern, and the width of calculated lines."""
