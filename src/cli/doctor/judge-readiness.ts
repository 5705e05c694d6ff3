import type { Backlog } from "../../contract/backlog.ts";
import type { Integrity } from "../../contract/integrity.ts";
import type { ReadinessReply } from "../../contract/readiness.ts";
import { type Finding, ill, well } from "./finding.ts";

type Part = ReadinessReply["unusable"][number]["part"];

/** What to do about a part that cannot be used. */
const PARTS: Readonly<Record<Part, string>> = {
  d1: "does [[d1_databases]] in wrangler.toml name the database?",
  kv: "does [[kv_namespaces]] in wrangler.toml name the namespace?",
  keyring: "are ROOT_KEY and KEYRING the ones of this database? `npx wrangler secret bulk FILE` puts them there",
  signing_key: "`npx wrangler secret bulk FILE` puts SIGNING_KEY there",
  log_key: "`npx wrangler secret bulk FILE` puts LOG_KEY there; `keyhole admin keys rotate-signing --log` makes one",
  oidc_key: "`npx wrangler secret bulk FILE` puts OIDC_KEY there; `keyhole admin keys rotate-oidc` makes one",
  vars: "one of the vars in wrangler.toml is malformed: an environment inherits none of them",
  compatibility_flags: "wrangler.toml has to have the compatibility flags that are shipped",
};

const WHY = "a token with keys:read is told why, and the Worker's log says it: `npm run wrangler -- tail`";
const NEEDS = "ask with a token that has keys:read";
const UNMIGRATED = "the migrations have not been applied";

/** How far a job of the scheduled run may be behind before somebody should look, in seconds. */
const LATE = 600;
/** With fewer days than this until the database is full, somebody should make room. */
const DAYS = 30;

/** What the reply of `/readyz` comes to. Without `keys:read` it says less. `version` is that of the command line. */
export function judgeReadiness(reply: ReadinessReply, version: string): Finding[] {
  return [...judgeParts(reply), judgeMigrations(reply), judgeVersion(reply, version), ...judgeBacklog(reply.backlog), ...judgeRun(reply)];
}

function judgeParts({ status, unusable, degraded = [], notices = [] }: ReadinessReply): Finding[] {
  const said = ({ part, detail }: { part: Part; detail?: string | undefined }) => `${part}: ${detail ?? "cannot be used"}`;
  const found = [
    ...unusable.map((one) => ill("readiness", "failed", said(one), one.detail === undefined ? `${PARTS[one.part]}; ${WHY}` : PARTS[one.part])),
    ...degraded.map((one) => ill("readiness", "failed", said(one), "an old key: put it back into the keyring, or see the drill in SECURITY.md")),
    ...notices.map((one) => ill("readiness", "warning", said(one), PARTS[one.part])),
  ];
  return found.some(({ verdict }) => verdict === "failed") ? found : [well("readiness", `it is ${status}`), ...found];
}

function judgeMigrations({ unusable }: ReadinessReply): Finding {
  const database = unusable.find(({ part }) => part === "d1");
  if (!database) return well("migrations", "all that this Worker needs are applied");
  if (database.detail === UNMIGRATED) return ill("migrations", "failed", UNMIGRATED, "`npm run deploy` applies them, with `--env NAME` for an environment");
  return ill("migrations", "unknown", "it cannot be told while D1 cannot be used", `${PARTS.d1} ${NEEDS} to know more`);
}

function judgeVersion({ version: deployed }: ReadinessReply, version: string): Finding {
  if (deployed === undefined) return ill("version", "unknown", "only a token with keys:read is told which version is deployed", NEEDS);
  if (deployed === version) return well("version", `${deployed}, as this command line`);
  return ill(
    "version",
    "warning",
    `${deployed} is deployed, and this command line is ${version}`,
    "deploy, or install, the other one: they are made for each other",
  );
}

function judgeBacklog(backlog: Backlog | undefined): Finding[] {
  if (!backlog) return [ill("backlog", "unknown", "only a token with keys:read is told what waits", NEEDS)];
  const counts = [
    ["audit_logs", "failed", "audit logs that are not what was signed", "`keyhole audit verify`, and the drill in SECURITY.md"],
    ["integrity_failures", "failed", "rows that are not what this deployment wrote", "the drill in SECURITY.md says what to do"],
    ["lost_values", "failed", "values that are not in KV, or do not open", "`keyhole list --state lost` shows which; set them anew, or restore a backup"],
    ["set_aside", "warning", "versions on which scheduled work failed", "the Worker's log says why; each is tried again within the hour"],
    ["legacy_plaintext", "warning", "values that are not encrypted yet", "docs/adopting-plaintext.md says how they become so"],
    ["env_name_conflicts", "warning", "environment names that several secrets of one scope have", "delete all but one of each"],
  ] as const;
  const found = counts.flatMap(([name, verdict, says, hint]) => (backlog[name] > 0 ? [ill("backlog", verdict, `${backlog[name]} ${says}`, hint)] : []));
  const { database_days_left: days } = backlog;
  if (days !== null && days < DAYS)
    found.push(
      ill("backlog", "warning", `D1 is full in ${days} days`, "shorten AUDIT_HOT_DAYS, delete what is not used, or give the largest organization a deployment"),
    );
  return found.length > 0 ? found : [well("backlog", "nothing waits for somebody to look at it")];
}

function judgeRun({ backlog, integrity }: ReadinessReply): Finding[] {
  if (!backlog || !integrity) return [ill("scheduled run", "unknown", "only a token with keys:read is told how it goes", NEEDS)];
  const late = Object.entries(backlog.scheduled).filter(([, { seconds }]) => (seconds ?? 0) > LATE);
  const found = [
    ...late.map(([job, { seconds }]) =>
      ill("scheduled run", "warning", `${job} is ${seconds} seconds behind`, "a run's line in the Worker's log says what each job did"),
    ),
    ...judgeIntegrity(integrity),
  ];
  return found.length > 0 ? found : [well("scheduled run", "it ran, and is not behind")];
}

function judgeIntegrity({ registry, logs, rows }: Integrity): Finding[] {
  const drill = "the drill in SECURITY.md says what to do";
  if (registry === "unknown" && rows.verdict === "unknown")
    return [
      ill(
        "scheduled run",
        "warning",
        "none in the last five minutes",
        "right after the first deployment wait a minute; else [triggers] in wrangler.toml has to have its cron",
      ),
    ];
  return [
    ...(registry === "failed"
      ? [ill("scheduled run", "failed", `${logs} audit logs are not as far as the registry says`, `${drill}; after a restore: keyhole admin log restored`)]
      : []),
    ...(rows.verdict === "failed" ? [ill("scheduled run", "failed", `${rows.faults} rows were taken away, put back or exchanged`, drill)] : []),
    ...(registry === "lost" || rows.verdict === "lost" ? [ill("scheduled run", "failed", "what was on record in KV is gone", drill)] : []),
    ...(registry === "unavailable" ? [ill("scheduled run", "warning", "the registry in KV could not be read", "try again in a few minutes")] : []),
  ];
}
