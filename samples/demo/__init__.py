"""The demo behind ./demo: see __main__.py."""
