"""How a process works: files written whole, seeds, threads, memory settings, helper processes."""
