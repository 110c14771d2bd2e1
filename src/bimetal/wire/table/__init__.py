"""What a table of readings means: its columns, its clock, its devices; no file is opened here."""
