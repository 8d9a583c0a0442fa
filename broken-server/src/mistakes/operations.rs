//! Mistakes in operation: health checks, restarts, shutdown, databases, balancers.
