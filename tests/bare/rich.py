"""Stands before rich, which import-linter brings along, in the processes that tests start.

structlog loads it wherever it finds it: a tenth of what a command takes to start, and tracebacks on
a terminal that no operator sees, for a service is installed without it.
"""

raise ImportError("rich is no part of an installation")
