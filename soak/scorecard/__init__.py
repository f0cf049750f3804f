"""How often is the tester wrong? On runs of which the truth is known.

Measured are the leak and degradation detectors, maintenance as seen from outside, and beside that
the rule of fixed thresholds.
"""
