"""SpectroGen: see, decompose and generate Raman, infrared and powder-diffraction spectra."""

__version__ = "0.1.0"
