"""Fields to the grids that a map shows: pure functions, no clock, no I/O, no logging."""
