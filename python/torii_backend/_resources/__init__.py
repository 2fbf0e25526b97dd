"""The methods of each resource, for threads and, in the same words, for coroutines."""
