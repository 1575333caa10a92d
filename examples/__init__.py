"""Examples; each has a README."""
