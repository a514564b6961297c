"""Lets ``python -m keepline`` say what ``keepline`` says."""

from keepline.cli import main

main()
