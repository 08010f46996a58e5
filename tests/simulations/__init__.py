"""Bases whose truth is known, drawn by the hundred: how often an audit or a method is right about them.

Each module has functions of a seed that draw one base and say what came of it; `shares` runs them over many.
`python -m benchmarks.simulations` prints the rates, tests/test_simulations.py holds them to their limits.
"""
