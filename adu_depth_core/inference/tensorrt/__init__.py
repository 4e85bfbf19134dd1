"""TensorRT engines: the Python packages, CUDA memory and streams, engine files and their loading."""
