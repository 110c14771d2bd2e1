"""The door for programs: HTTP and the page."""
