"""`python -m bimetal.cli` is `bimetal`."""

from bimetal.cli import main

main()
