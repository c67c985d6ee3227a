"""The conformance run: sends carrier commands to an adapter of any language and judges its results.

In reading order: `convention`, `commands`, `exchange`, `executions`, `restarts`, `run`, `checks`, `repeats`, `results`.
"""
