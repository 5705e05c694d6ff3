import { casesFor } from "./cases.ts";
import { type Instance, migrate, startInstance } from "./instance.ts";
import type { Measured } from "./load.ts";
import { pump } from "./pump.ts";
import type { Setup } from "./ratios.ts";
import { seedNames } from "./seed.ts";

/** Strict resolves of one round: by themselves, and while scheduled runs work on a backlog that does not end. */
export interface BesideWork {
  readonly quiet: Measured;
  readonly busy: Measured;
  /** What the runs got done meanwhile, in events and rows. */
  readonly done: number;
}

const CONNECTIONS = 8;
/** How long each measurement takes, in milliseconds, for each 100 of `requests`: some runs begin and rest in it. */
const PER_HUNDRED = 2_500;
/** Of each sort of work, for each round. */
const BACKLOG = 30_000;

/** Measures strict resolves with and without scheduled runs beside them that have everything to do. */
export async function measureBesideWork({ secrets, token, bundles, rounds, requests }: Setup): Promise<BesideWork[]> {
  const instance = await startInstance(bundles.keyhole, secrets, { direct: true });
  await migrate(instance.db);
  await seedNames(instance, token);
  const shot = casesFor(token).resolve(1);
  const milliseconds = Math.max(1_000, (requests / 100) * PER_HUNDRED);
  const measured: BesideWork[] = [];
  // The first round only warms up.
  for (let round = -1; round < rounds; round++) {
    const quiet = await pump(instance.url, shot, CONNECTIONS, milliseconds);
    await addBacklog(instance, round + 2);
    const before = await left(instance);
    const work = keepRunning(instance);
    const busy = await pump(instance.url, shot, CONNECTIONS, milliseconds);
    await work.stop();
    if (round >= 0) measured.push({ quiet, busy, done: before - (await left(instance)) });
  }
  await instance.stop();
  return measured;
}

/** Has scheduled runs follow each other, as they do where each takes a minute. */
function keepRunning({ runScheduled }: Instance): { stop: () => Promise<void> } {
  let stopped = false;
  const work = (async () => {
    while (!stopped) await runScheduled();
  })();
  return {
    stop: () => {
      stopped = true;
      return work;
    },
  };
}

async function addBacklog({ db }: Instance, round: number): Promise<void> {
  const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)";
  const org = `backlog-${round}`;
  await db.batch([
    db.prepare(`${numbers} INSERT INTO kv_removals (kv_key, noted_at, org) SELECT 'c_' || ?1 || i, 0, ?1 FROM n`).bind(org, BACKLOG),
    db
      .prepare(
        `${numbers} INSERT INTO audit_events (org, seq, at, actor, action, outcome, secrets, request_id)
         SELECT ?1, i, 0, 'bench', 'secret.resolve', 'allowed', json_array(json_object('id', 'sec_' || (i % 50), 'name', 'N', 'scope', 'global', 'version', 1)), 'req' FROM n`,
      )
      .bind(org, BACKLOG),
    db
      .prepare(
        `${numbers} INSERT INTO tokens (id, org, label, permissions, created_at, created_by, expires_at) SELECT 'tok_' || ?1 || i, ?1, 'b', '[]', 0, 'b', 0 FROM n`,
      )
      .bind(org, BACKLOG),
  ]);
}

async function left({ db }: Instance): Promise<number> {
  return (
    (await db
      .prepare(
        `SELECT (SELECT COUNT(*) FROM kv_removals) + (SELECT COUNT(*) FROM tokens WHERE expires_at = 0)
           + (SELECT COALESCE(SUM(n), 0) FROM (SELECT MAX(e.seq) - COALESCE((SELECT m.seq FROM audit_marks m WHERE m.job = 'secrets' AND m.org = e.org), 0) AS n
              FROM audit_events e WHERE e.org LIKE 'backlog-%' GROUP BY e.org)) AS n`,
      )
      .first<number>("n")) ?? 0
  );
}
