-- A use of a service opens a lease as a resolve does: its last count is missed in the same way.
DROP TRIGGER leases_open;
CREATE TRIGGER leases_open AFTER INSERT ON audit_events WHEN NEW.lease IS NOT NULL AND NEW.action IN ('secret.resolve', 'secret.use')
BEGIN
  INSERT INTO open_leases (org, id, seq, until, max_uses)
  VALUES (NEW.org, NEW.lease ->> 'id', NEW.seq, NEW.lease ->> 'until', NEW.lease ->> 'max_uses');
END;
