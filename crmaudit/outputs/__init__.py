"""Outputs that are more than a template."""
