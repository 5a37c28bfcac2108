-- Latencies by time window, so that two sides can be compared minute by minute; what a run itself found out about latency.

CREATE TABLE latency_windows (
  run         INTEGER NOT NULL REFERENCES runs(id),
  fingerprint TEXT NOT NULL,
  side        TEXT NOT NULL,
  vantage     TEXT NOT NULL,
  level       INTEGER NOT NULL,           -- a window is 2^level seconds long
  window      INTEGER NOT NULL,           -- its number: start / length
  histogram   TEXT NOT NULL,
  PRIMARY KEY (run, fingerprint, side, vantage, level, window)
) STRICT, WITHOUT ROWID;

-- JSON, of a finding that is no execution's (a latency regression); others have their examples' evidence.
ALTER TABLE findings ADD COLUMN evidence TEXT NOT NULL DEFAULT '';
