-- Examples that a run left out, because its store had grown to --store-limit.
ALTER TABLE runs ADD COLUMN examples_left_out INTEGER NOT NULL DEFAULT 0;
