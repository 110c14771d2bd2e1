"""Where a program can run, and what every place must agree on."""
