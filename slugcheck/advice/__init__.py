"""Findings and their fixes, known vulnerabilities, and where to keep model files."""
