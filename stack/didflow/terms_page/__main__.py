"""Prints the page: `python -m didflow.terms_page > docs/terms.md`."""

from didflow.terms_page import page
from didflow_contracts.terminal import say_lines

say_lines(page())
