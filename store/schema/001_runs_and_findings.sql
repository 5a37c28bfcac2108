-- Runs, what became of their exchanges, and their findings. Times are nanoseconds since 1970-01-01 UTC; fingerprints and
-- finding ids are 16 hexadecimal digits; columns that hold JSON say so.

CREATE TABLE runs (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  mode             TEXT NOT NULL,
  pace             TEXT NOT NULL,
  statement_order  TEXT NOT NULL,
  started          INTEGER NOT NULL,
  finished         INTEGER,               -- null: running, or its writer died
  flushed          INTEGER NOT NULL,      -- when its writer last wrote: tells a running one from a dead one
  source           TEXT NOT NULL,
  target           TEXT NOT NULL,
  reference        TEXT NOT NULL,         -- empty: none
  target_follows   TEXT NOT NULL,
  build            TEXT NOT NULL,
  server_questions INTEGER                -- what the source's own counter said, where it was asked
) STRICT;

CREATE TABLE questions (
  run     INTEGER NOT NULL REFERENCES runs(id),
  side    TEXT NOT NULL,
  n       INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  PRIMARY KEY (run, side)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
  run INTEGER NOT NULL REFERENCES runs(id),
  bin TEXT NOT NULL,
  n   INTEGER NOT NULL,
  PRIMARY KEY (run, bin)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_reasons (
  run    INTEGER NOT NULL REFERENCES runs(id),
  bin    TEXT NOT NULL,
  reason TEXT NOT NULL,
  n      INTEGER NOT NULL,
  PRIMARY KEY (run, bin, reason)
) STRICT, WITHOUT ROWID;

-- A statement's normalized text, once for all runs.
CREATE TABLE fingerprints (
  fingerprint TEXT PRIMARY KEY,
  normalized  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run_fingerprints (
  run         INTEGER NOT NULL REFERENCES runs(id),
  fingerprint TEXT NOT NULL,
  executions  INTEGER NOT NULL,           -- seen
  compared    INTEGER NOT NULL,           -- of these
  PRIMARY KEY (run, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE latency (
  run         INTEGER NOT NULL REFERENCES runs(id),
  fingerprint TEXT NOT NULL,
  side        TEXT NOT NULL,
  vantage     TEXT NOT NULL,
  histogram   TEXT NOT NULL,              -- base/histogram.h, serialize()
  PRIMARY KEY (run, fingerprint, side, vantage)
) STRICT, WITHOUT ROWID;

CREATE TABLE findings (
  run         INTEGER NOT NULL REFERENCES runs(id),
  id          TEXT NOT NULL,              -- signature: fingerprint x difference x cause, stable across runs
  fingerprint TEXT NOT NULL,
  difference  TEXT NOT NULL,
  cause       TEXT NOT NULL,
  level       TEXT NOT NULL,              -- the weakest of its verdicts
  events      INTEGER NOT NULL,
  examined    INTEGER NOT NULL,
  first_time  INTEGER NOT NULL,
  last_time   INTEGER NOT NULL,
  PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX findings_by_id ON findings (id);

CREATE TABLE examples (
  run           INTEGER NOT NULL REFERENCES runs(id),
  finding       TEXT NOT NULL,
  slot          INTEGER NOT NULL,         -- a place among the finding's examples, reused; rank says the order
  rank          TEXT NOT NULL,            -- hash(session, seq); the smallest are kept
  session       INTEGER NOT NULL,
  seq           INTEGER NOT NULL,
  time          INTEGER NOT NULL,
  sql           TEXT NOT NULL,
  parameters    TEXT NOT NULL,            -- JSON array
  source_answer TEXT NOT NULL,            -- JSON object
  target_answer TEXT NOT NULL,            -- JSON object
  evidence      TEXT NOT NULL,            -- JSON object
  file          TEXT NOT NULL,
  packet        INTEGER NOT NULL,
  PRIMARY KEY (run, finding, slot)
) STRICT;

-- What people decided, by signature: it outlives runs.
CREATE TABLE triage (
  finding TEXT PRIMARY KEY,
  status  TEXT NOT NULL CHECK (status IN ('open', 'accepted', 'fixed', 'ignored')),
  note    TEXT NOT NULL,
  author  TEXT NOT NULL,
  changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  time    INTEGER NOT NULL,
  author  TEXT NOT NULL,
  finding TEXT NOT NULL,
  before  TEXT NOT NULL,
  after   TEXT NOT NULL,
  note    TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_finding ON audit (finding, id);
