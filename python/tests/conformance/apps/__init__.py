"""One application to a module. `ADAPTER` says what it lacks; `served()` runs it on a server and gives the port."""
