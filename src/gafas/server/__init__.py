"""The HTTP service and its web page: bytes in, JSON out. Nothing is kept, on disk or in logs."""
