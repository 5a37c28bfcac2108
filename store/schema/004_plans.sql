-- What a statement's finding needs beside its examples' answers: how both servers run it, and what its session did before.

CREATE TABLE plans (
  run         INTEGER NOT NULL REFERENCES runs(id),
  fingerprint TEXT NOT NULL,
  plans       TEXT NOT NULL,              -- JSON object: {sql, reference, target}
  PRIMARY KEY (run, fingerprint)
) STRICT, WITHOUT ROWID;

-- JSON array: the session's last statements before the example, {seq, sql, class, write} each.
ALTER TABLE examples ADD COLUMN session_strip TEXT NOT NULL DEFAULT '[]';
