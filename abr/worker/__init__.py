"""The worker: threads, the pipeline, and the life of a channel."""
