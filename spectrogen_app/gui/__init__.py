"""The window: presents what the layers below compute; no numerics, no parsing, no torch."""
