# Made by scripts/sync-client from _async/__init__.py. Change that file, and run the script.
"""The methods of each resource, for threads. `scripts/sync-client` makes this of them, for threads."""
