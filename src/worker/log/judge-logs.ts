import { formatTime } from "../../contract/time.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { type MarkedLog, markFailed, selectFailed, unmarkFailed } from "../audit/marks.ts";
import { type StatementRow, selectStatement } from "../audit/statements.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { findAccused } from "./find-accused.ts";
import { entryId, type Registry } from "./registry.ts";
import { type RegistryStatement, readStatement, registryStatementSchema, writeStatement } from "./statement.ts";

/** How long KV may show an older state, in milliseconds: what was put before that has to be there. */
const KV_LAG = 120_000;
/** How many logs are marked, each with an event. The rest are counted, and are marked in later runs. */
const MARKED = 100;

interface Needs {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  readonly platformOrg: string | null;
  readonly now: Date;
  /** What the registry says; `undefined` when it could not be read. */
  readonly registry: Registry | undefined;
}

/** What a run found, and the organizations of whose logs nothing more is sealed, removed or put on record. */
export interface Judged extends Pick<RegistryStatement, "verdict" | "logs" | "refused"> {
  readonly accused: ReadonlySet<string>;
}

/**
 * Judges every log by the registry, and signs what it found, so that nobody who can write to D1 can make it say something
 * else. A log that is accused is marked, and an event says so once.
 */
export async function judgeLogs(needs: Needs): Promise<Judged> {
  const { db, logKeys, registry, now } = needs;
  const [found, marked] = await runBatch(db, [selectStatement(db, "registry"), selectFailed(db, "registry", MARKED * 10)]);
  const was = await readStatement(logKeys, registryStatementSchema, rowsOf<StatementRow>(found)[0]);
  const before = was === "bent" ? undefined : was;
  const failed = registry ? await failedLogs(needs, registry) : [];
  const lost = registry !== undefined && isLost(registry, before, now);
  const verdict = !registry ? "unavailable" : failed.length > 0 ? "failed" : lost ? "lost" : "ok";
  const finding = { verdict, logs: failed.length, refused: registry?.refused ?? 0 } as const;
  const statement = await writeStatement(db, logKeys, {
    name: "registry",
    // Said once: from then on the registry is what there is of it.
    put_at: lost ? null : (before?.put_at ?? null),
    lost_at: lost ? formatTime(now.getTime()) : (before?.lost_at ?? null),
    judged_at: formatTime(now.getTime()),
    ...finding,
  });
  const known = new Set(rowsOf<MarkedLog>(marked).map(({ org }) => org));
  const reports = [...(was === "bent" ? ["statement:registry"] : []), ...(lost ? ["registry-lost"] : [])];
  const fresh = failed.filter(({ id }) => !known.has(id)).slice(0, MARKED);
  const over = registry ? [...known].filter((id) => !failed.some((log) => log.id === id)) : [];
  await runBatch(db, [
    statement,
    ...fresh.flatMap(({ id, why, org }) => [markFailed(db, "registry", id, now.getTime()), ...report(needs, `${why}:${id}`, org)]),
    ...reports.flatMap((target) => report(needs, target, null)),
    unmarkFailed(db, "registry", over),
  ]);
  return { ...finding, accused: new Set(failed.flatMap(({ org }) => org ?? [])) };
}

interface FailedLog {
  /** The organization, or what stands for it where nothing has its name any more. */
  readonly id: string;
  readonly org: string | null;
  readonly why: string;
}

async function failedLogs(needs: Needs, registry: Registry): Promise<FailedLog[]> {
  const { accused, unrevoked, missing } = await findAccused(needs, registry);
  const named = new Map(accused.map(({ org, accusation }) => [org, { id: org, org, why: accusation }]));
  return [
    ...named.values(),
    // The log itself is well, and goes on being sealed.
    ...unrevoked.map((org) => ({ id: `revocations of ${org}`, org: null, why: "behind" })),
    ...missing.map((entry) => ({ id: entryId(entry), org: null, why: "missing" })),
  ];
}

/** Whether objects that were put there long enough ago are gone. */
export function isLost({ newestAt }: Pick<Registry, "newestAt">, was: RegistryStatement | undefined, now: Date): boolean {
  const put = was?.put_at ? Date.parse(was.put_at) : null;
  return put !== null && now.getTime() - put > KV_LAG && (newestAt ?? 0) < put;
}

/** An event in the operator's own log, or where there is none in that of the organization. */
function report({ db, platformOrg, now }: Needs, target: string, org: string | null): D1PreparedStatement[] {
  const where = platformOrg ?? org;
  return where === null ? [] : [insertOwnEvent(db, where, "integrity.failed", target, now)];
}
