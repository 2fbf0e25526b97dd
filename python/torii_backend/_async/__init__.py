"""The methods of each resource, for coroutines. `scripts/sync-client` makes `_sync` of them, for threads."""
