"""One application to a module. `ADAPTER` says what it lacks; `served()` runs it and gives the port."""
