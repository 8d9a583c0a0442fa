-- By these, the oldest rows are found without looking at all of them.

CREATE INDEX results_by_end ON results (ended_ms);
CREATE INDEX sessions_by_last_use ON sessions (last_used_ms);
