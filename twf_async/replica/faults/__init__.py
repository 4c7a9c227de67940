"""What goes wrong on NOMADS, on demand: one script of faults, played request by request.

`script` says what may go wrong, `director` decides it for one request, `middleware` does it:
`replies` answers instead of the server, `bodies` spoils what is sent, `wire` breaks off how it is
sent. `scripted_tree` lets the files themselves be wrong. docs/replica.md has the table.
"""
