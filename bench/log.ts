import { fire, quantile, type Shot } from "./load.ts";
import { archiveAll, type LogSetup, type LogWorker, startLogWorker } from "./log-worker.ts";

const DAY = 86_400_000;
/** How many days the log is spread over, and how long ago it ends: all but its end is due for the archive. */
const [DAYS, ENDED] = [100, 9];
const SECRETS = 200;
/** How many events one statement writes. */
const CHUNK = 20_000;
/** What one page has. */
const PAGE = 50;
const READS = 15;

/** How long a read of a page takes, in milliseconds, and what it reads for what it returns. */
interface PageRead {
  readonly name: string;
  readonly milliseconds: number;
  readonly returned: number;
  readonly rowsRead: number;
  readonly kvReads: number;
}

/** A log in D1, or in the archive. Bytes are for each event. */
export interface LogState {
  readonly name: string;
  readonly bytesInD1: number;
  readonly bytesInKv: number;
  readonly reads: readonly PageRead[];
  readonly verified: { readonly seconds: number; readonly calls: number; readonly rowsRead: number; readonly kvReads: number };
}

/** What was measured of a log of so many events. */
export interface LogResult {
  readonly events: number;
  readonly archived: number;
  readonly hot: LogState;
  readonly cold: LogState;
  /** Of what is in D1 of an archived event, the index of which secrets are in which object. */
  readonly indexInD1: number;
  /** How long each job took for all of it, in seconds. */
  readonly seconds: Readonly<Record<"seal" | "digest" | "archive", number>>;
}

/**
 * Makes a log of so many events, has it sealed and digested by the Worker's own jobs, measures it, and again when it is archived.
 *
 * @throws {Error} when a page reads too many rows, or the archive leaves too much in D1.
 */
export async function measureLog(setup: LogSetup, events: number, say: (text: string) => void): Promise<LogResult> {
  const now = Date.now();
  const worker = await startLogWorker(setup, now);
  const { db } = worker;
  const empty = await sizeOf(db);
  say("  writing events");
  await writeEvents(db, now, events);
  say("  sealing");
  const sealing = await timed(async () => {
    await worker.work("seal");
    await worker.work("register");
  });
  say("  digesting");
  const digesting = await timed(() => worker.work("digest"));
  const inD1 = ((await sizeOf(db)) - empty) / events;
  say("  reading and verifying");
  const hot = { name: "in D1", bytesInD1: inD1, bytesInKv: 0, ...(await measureReads(worker, setup.token, events)) };
  say("  archiving");
  let archived = 0;
  const archiving = await timed(async () => {
    archived = await archiveAll(worker, now);
  });
  await worker.moveTo(now);
  const sizes = await sizesOfArchive(worker);
  say("  reading and verifying");
  const cold = {
    name: "in the archive",
    bytesInD1: sizes.rows / archived,
    bytesInKv: sizes.objects / archived,
    ...(await measureReads(worker, setup.token, events)),
  };
  await worker.stop();
  requireBounds([hot, cold]);
  return { events, archived, hot, cold, indexInD1: sizes.index / archived, seconds: { seal: sealing, digest: digesting, archive: archiving } };
}

/** What a page may read for each event that it returns, and what an archived event may leave in D1, in bytes. */
const MOST = { rowsRead: 10, bytesInD1: 2 };

function requireBounds(states: readonly LogState[]): void {
  for (const { name, rowsRead, returned } of states.flatMap(({ reads }) => reads))
    if (rowsRead > returned * MOST.rowsRead) throw new Error(`${name} read ${rowsRead} rows for ${returned} events`);
  const left = states.at(-1)?.bytesInD1 ?? 0;
  if (left > MOST.bytesInD1) throw new Error(`an archived event leaves ${left} bytes in D1`);
}

/** Resolves of one secret, as a gateway causes them: the rows that they leave, without the requests. */
async function writeEvents(db: LogWorker["db"], now: number, events: number): Promise<void> {
  const step = Math.floor((DAYS * DAY) / events);
  for (let from = 1; from <= events; from += CHUNK) {
    await db
      .prepare(
        `WITH RECURSIVE n (seq) AS (SELECT ?1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?2)
         INSERT INTO audit_events (org, seq, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent)
         SELECT 'acme', seq, ?3 + seq * ?4, 'token:gateway', 'tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c', 'secret.resolve', 'allowed',
           json_array(json_object('id', printf('sec_%032d', seq % ${SECRETS}), 'name', 'NAME_' || (seq % ${SECRETS}), 'scope', 'namespace:prod', 'version', 3)),
           NULL, 'req_' || lower(hex(randomblob(16))), '192.0.2.' || (seq % 7), 'keyhole-client/1.0' FROM n`,
      )
      .bind(from, Math.min(events, from + CHUNK - 1), now - (DAYS + ENDED) * DAY, step)
      .run();
  }
}

async function sizeOf(db: LogWorker["db"]): Promise<number> {
  return (await db.prepare("SELECT 1").run()).meta.size_after;
}

/**
 * What D1 has of what is archived, in bytes as SQLite stores it: D1 does not say which pages of its file are free. A cell
 * is as long as it is written, with a byte for its type; a row has some four bytes, and an index has the row's key again.
 */
async function sizesOfArchive({ db, kv }: LogWorker): Promise<{ rows: number; index: number; objects: number }> {
  const rowsOf = async (table: string) => (await db.prepare(`SELECT * FROM ${table}`).all<Record<string, unknown>>()).results;
  const bytes = (rows: readonly Record<string, unknown>[], indexed: number) =>
    rows.reduce((sum, row) => sum + Object.values(row).reduce<number>((size, cell) => size + 1 + String(cell ?? "").length, 4 + indexed), 0);
  const archives = await rowsOf("audit_archives");
  let objects = 0;
  for (const { kv_key } of archives) objects += (await kv.get(String(kv_key)))?.length ?? 0;
  return { rows: bytes(archives, 120), index: bytes(await rowsOf("audit_archive_secrets"), 0), objects };
}

async function measureReads(worker: LogWorker, token: string, events: number): Promise<Pick<LogState, "reads" | "verified">> {
  const headers = { Authorization: `Bearer ${token}` };
  const get = (path: string): Shot => ({ method: "GET", path, headers, expect: 200 });
  const first = `/v1/audit?limit=${PAGE}`;
  const named = `${first}&secret_id=sec_${String(7).padStart(32, "0")}`;
  const { next_cursor } = JSON.parse((await fire(worker.url, get(named))).body) as { next_cursor: string | null };
  const reads: PageRead[] = [
    { name: "a first page", ...(await readPage(worker, get(first))) },
    { name: "secret_id=", ...(await readPage(worker, get(named))) },
    ...(next_cursor === null ? [] : [{ name: "secret_id=, the next page", ...(await readPage(worker, get(`${named}&cursor=${next_cursor}`))) }]),
  ];
  return { reads, verified: await verify(worker, get, events) };
}

async function readPage(worker: LogWorker, shot: Shot): Promise<Omit<PageRead, "name">> {
  const times: number[] = [];
  let returned = 0;
  await worker.counts();
  for (let n = 0; n < READS; n++) {
    const began = performance.now();
    const { body } = await fire(worker.url, shot);
    times.push(performance.now() - began);
    returned = (JSON.parse(body) as { events: unknown[] }).events.length;
  }
  const { rowsRead, kvReads } = await worker.counts();
  return { milliseconds: quantile(times, 0.5), returned, rowsRead: rowsRead / READS, kvReads: kvReads / READS };
}

async function verify(worker: LogWorker, get: (path: string) => Shot, events: number): Promise<LogState["verified"]> {
  let [calls, checked] = [0, 0];
  await worker.counts();
  const seconds = await timed(async () => {
    for (let cursor: string | null = ""; cursor !== null; calls++) {
      const { body } = await fire(worker.url, get(`/v1/audit/verify${cursor && `?cursor=${cursor}`}`));
      const found = JSON.parse(body) as { ok: boolean; checked: number; next_cursor: string | null };
      if (!found.ok) throw new Error(`the log does not verify: ${body}`);
      checked += found.checked;
      cursor = found.next_cursor;
    }
  });
  if (checked !== events) throw new Error(`${checked} of ${events} events were verified`);
  const { rowsRead, kvReads } = await worker.counts();
  return { seconds, calls, rowsRead, kvReads };
}

/** How long something takes, in seconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
