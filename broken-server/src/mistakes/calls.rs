//! Mistakes in calls to the vendor: queues, limits, retries, timeouts, streams.
