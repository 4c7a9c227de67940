"""Imported by the forkserver before it forks: a worker is then ready in hundredths of a second.

Nothing here may start a thread or keep a GRIB file open.
"""

import gc
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no BLAS threads in a process that forks
os.environ.setdefault("OMP_NUM_THREADS", "1")

from render_farm.worker.lifeline import die_with_service

die_with_service()  # first: the rest takes a second

import render_farm.render.hour  # noqa: E402, F401 - pulls in decode, derive, draw and encode
from render_farm.basedata.loader import cities  # noqa: E402

cities()  # 14 MB and 40 ms that all workers share

gc.collect()
gc.freeze()  # what is loaded now is never garbage: later collections skip it
