-- Which exchanges of a run have their bin, so that a run that was stopped can go on: all of a session below `done`, and the
-- numbers in `beyond` (comma-separated).

CREATE TABLE progress (
  run     INTEGER NOT NULL REFERENCES runs(id),
  session INTEGER NOT NULL,
  done    INTEGER NOT NULL,
  beyond  TEXT NOT NULL,
  PRIMARY KEY (run, session)
) STRICT, WITHOUT ROWID;
