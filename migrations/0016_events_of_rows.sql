-- What is kept of rows outside the database is compared with them, and with the events that say why they changed. Those
-- are found here; a release changes no row.
CREATE INDEX audit_events_of_rows ON audit_events (org, seq) WHERE outcome = 'allowed' AND action IN (
  'secret.create', 'secret.update', 'secret.delete', 'secret.rollback', 'secret.import',
  'token.create', 'token.exchange', 'trust.put', 'trust.delete', 'scope.put', 'scope.delete', 'keys.seal', 'log.restored'
);

-- And those after which rows are taken as they are.
CREATE INDEX audit_events_that_accept ON audit_events (org, at) WHERE outcome = 'allowed' AND action IN ('keys.seal', 'log.restored');
