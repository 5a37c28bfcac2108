-- Round trips in microseconds: between the tap and production's servers and clients, and between darktap and the target. NULL:
-- unknown. The counts tell of how many handshakes and acknowledgements the first two are.
ALTER TABLE runs ADD COLUMN tap_to_server_us INTEGER;
ALTER TABLE runs ADD COLUMN tap_to_client_us INTEGER;
ALTER TABLE runs ADD COLUMN target_round_trip_us INTEGER;
ALTER TABLE runs ADD COLUMN handshakes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN acknowledgements INTEGER NOT NULL DEFAULT 0;
