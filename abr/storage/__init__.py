"""Places for objects behind one contract: memory, a directory, S3."""
