"""A forecast-map service: NOMADS to the browser. Importing this loads nothing else."""

__version__ = "0.1.0"
SOFTWARE = f"twf_async {__version__}"  # what a picture says it was made with
