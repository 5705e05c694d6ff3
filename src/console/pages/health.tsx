import { useState } from "preact/hooks";
import type { Backlog, WaitingWork } from "../../contract/backlog.ts";
import type { KeysReply } from "../../contract/keys.ts";
import type { ReadinessReply } from "../../contract/readiness.ts";
import { client } from "../client.ts";
import { Failure } from "../parts/failure.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Table } from "../parts/table.tsx";
import { readHealth } from "../read-health.ts";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";

/** Whether the deployment is well: what waits, the keys, and how much there may be. */
export function Health() {
  const may = useMay("keys:read");
  const health = useLoad(readHealth, []);
  return (
    <Page title="Health">
      <Lacks of={{ "keys:read": "you are told whether the service is ready, and not why, nor about keys", "keys:write": "you cannot re-wrap keys" }} />
      <Loaded of={health} what="Whether it is ready">
        {(readiness) => <Ready readiness={readiness} />}
      </Loaded>
      {may && <Keys />}
      <Usage />
    </Page>
  );
}

const STATES = { ready: "good", degraded: "warn", "not-ready": "bad" } as const;

function Ready({ readiness: { status, unusable, degraded = [], notices = [], backlog, integrity } }: { readiness: ReadinessReply }) {
  const findings = [
    ...unusable.map((finding) => ({ ...finding, kind: "bad", says: "not usable" })),
    ...degraded.map((finding) => ({ ...finding, kind: "warn", says: "degraded" })),
    ...notices.map((finding) => ({ ...finding, kind: "", says: "notice" })),
  ];
  return (
    <>
      <div class={`note ${STATES[status]}`} role="status">
        <p>
          <strong>{status === "ready" ? "Ready" : status === "degraded" ? "Degraded" : "Not ready"}</strong>
        </p>
        {findings.length > 0 && (
          <ul>
            {findings.map(({ part, detail, says }) => (
              <li key={`${part} ${detail}`}>
                <code>{part}</code>: {detail ?? says}
              </li>
            ))}
          </ul>
        )}
      </div>
      {backlog && (
        <>
          <dl class="facts">
            <dt>Size of D1</dt>
            <dd>
              {(backlog.database_bytes / 1_048_576).toFixed(1)} MiB of 10 GB
              {backlog.database_days_left !== null && `, full in ${backlog.database_days_left.toLocaleString("en")} days as it grows now`}
            </dd>
            <dt>Values lost</dt>
            <dd>{backlog.lost_values}</dd>
            <dt>In quarantine</dt>
            <dd>{backlog.set_aside}</dd>
            <dt>Values not encrypted yet</dt>
            <dd>{backlog.legacy_plaintext}</dd>
            <dt>Rows not as written</dt>
            <dd>{backlog.integrity_failures}</dd>
            <dt>Logs not as signed</dt>
            <dd>{backlog.audit_logs}</dd>
            {integrity && (
              <>
                <dt>Registry of logs</dt>
                <dd>{integrity.registry}</dd>
                <dt>Rows on record</dt>
                <dd>{integrity.rows.verdict}</dd>
              </>
            )}
          </dl>
          <h2>What waits for the scheduled run</h2>
          <Table
            caption="What waits for the scheduled run"
            rows={Object.entries(backlog.scheduled).filter(([, work]) => waitingOf(work) > 0)}
            keyOf={([job]) => job}
            empty="Nothing is due."
            columns={[
              { title: "What", cell: ([job]) => WAITING[job as keyof WaitingWork] ?? job },
              { title: "How many", kind: "number", cell: ([, work]) => waitingOf(work).toLocaleString("en") },
              { title: "For up to (seconds)", kind: "number", cell: ([, { seconds }]) => seconds ?? "not known" },
            ]}
          />
        </>
      )}
    </>
  );
}

/** What waits for each job, for people. */
const WAITING: Readonly<Record<keyof WaitingWork, string>> = {
  ciphertexts_put: "values to be put into KV",
  ciphertexts_cleared: "values to be taken out of D1",
  ciphertexts_removed: "values to be removed for good",
  store_writes: "writes into stores of which it is not known whether they happened",
  secrets_purged: "deleted secrets to be removed for good",
  rewrapped: "data keys to be put under the current key",
  leases_unsettled: "ended leases without their last count",
  sealed: "events to be sealed",
  digested: "events to be indexed by secret",
  archived: "events to be archived",
  events_removed: "events that are older than they are kept",
  tokens_forgotten: "expired tokens to be forgotten",
  identities_forgotten: "used identity tokens to be forgotten",
  revocations_forgotten: "old revocations to be forgotten",
};

function waitingOf(work: Backlog["scheduled"][keyof Backlog["scheduled"]]): number {
  return "rows" in work ? work.rows : work.events;
}

function Keys() {
  const keys = useLoad((signal) => client.keys.usage({ signal }), []);
  return (
    <>
      <h2>Keys</h2>
      <Loaded of={keys} what="Keys">
        {({ keys: list, counted }) => (
          <>
            <Table
              caption={`Keys, counted for the ${counted}`}
              rows={list}
              keyOf={({ id }) => id}
              empty="There are no keys."
              columns={[
                { title: "Key", cell: ({ id }) => <code>{id}</code> },
                {
                  title: "State",
                  cell: ({ current, available }) => (
                    <span class={`badge ${!available ? "bad" : current ? "good" : ""}`}>{!available ? "missing" : current ? "current" : "older"}</span>
                  ),
                },
                { title: "Versions", kind: "number", cell: ({ versions }) => versions },
                { title: "Archives", kind: "number", cell: ({ archives }) => archives },
                { title: "Seals", kind: "number", cell: ({ seals }) => seals },
              ]}
            />
            <Rewrap keys={list} onChange={keys.reload} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Rewrap({ keys, onChange }: { keys: KeysReply["keys"]; onChange: () => void }) {
  const may = useMay("keys:write");
  const waiting = keys.filter(({ current }) => !current).reduce((sum, { versions, archives }) => sum + versions + archives, 0);
  const [remaining, setRemaining] = useState<number>();
  const rewrapping = useTask(async () => {
    let [done, left] = [0, Number.POSITIVE_INFINITY];
    while (left > 0) {
      const page = await client.keys.rewrap();
      done += page.rewrapped;
      left = page.remaining;
      setRemaining(left);
      // What is left is under a key that is not there, or in quarantine.
      if (page.rewrapped === 0) break;
    }
    tell(`${done} data keys are under the current key now; ${left} are not.`);
    onChange();
  });
  if (waiting === 0) return <p class="quiet">All data keys are under the current key.</p>;
  return (
    <div class="actions">
      <button type="button" disabled={!may || rewrapping.running} onClick={rewrapping.run}>
        {rewrapping.running ? "Re-wrapping …" : "Re-wrap now"}
      </button>
      <span class="quiet">{remaining ?? waiting} data keys are still under older keys. The scheduled run does this by itself.</span>
      {rewrapping.running && <progress aria-label="Re-wrapped so far" value={waiting - Math.min(remaining ?? waiting, waiting)} max={waiting} />}
      <Failure error={rewrapping.error} what="Re-wrapping" />
    </div>
  );
}

function Usage() {
  const usage = useLoad((signal) => client.usage({ signal }), []);
  return (
    <>
      <h2>What the organization has, and may have</h2>
      <Loaded of={usage} what="The quotas">
        {({ usage, earlier_versions, deleted_secrets }) => (
          <>
            <Table
              caption="Quotas"
              rows={Object.entries(usage)}
              keyOf={([quota]) => quota}
              empty=""
              columns={[
                { title: "Of", cell: ([quota]) => quota.replaceAll("_", " ") },
                { title: "Has", kind: "number", cell: ([, { used }]) => used.toLocaleString("en") },
                { title: "May have", kind: "number", cell: ([, { limit }]) => limit.toLocaleString("en") },
                {
                  title: "Full",
                  cell: ([quota, { used, limit }]) => (
                    <meter aria-label={`${quota}: ${used} of ${limit}`} min={0} max={Math.max(limit, 1)} high={limit * 0.9} value={Math.min(used, limit)} />
                  ),
                },
              ]}
            />
            <p class="quiet">
              {earlier_versions} earlier versions and {deleted_secrets} deleted secrets are among them.
            </p>
          </>
        )}
      </Loaded>
    </>
  );
}
