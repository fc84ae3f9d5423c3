"""The minimizer: problems, methods, fits, and the certificate that every result carries."""
