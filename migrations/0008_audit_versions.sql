-- Which members an event has, and how its digest is made. What is there is of the first version, and so is what does not
-- say otherwise: a Worker that knows no later one goes on writing while a deployment is under way.
ALTER TABLE audit_events ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
