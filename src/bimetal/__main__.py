"""`python -m bimetal` is `bimetal`."""

from bimetal.cli import main

main()
