"""Process level: atomic files, seeds, threads, memory settings, worker processes."""
