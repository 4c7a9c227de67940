"""GRIB in, pictures out. Knows nothing of the service. Importing this loads nothing else."""
