"""What the service runs in its workers."""

PRELOADED = "render_farm.worker.preload"  # what the forkserver imports before it forks
