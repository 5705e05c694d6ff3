import { useState } from "preact/hooks";
import type { VerifyReply } from "../../contract/audit.ts";
import { client } from "../client.ts";
import { useMay } from "../session.ts";
import { useTask } from "../use-task.ts";
import { Failure } from "./failure.tsx";

/** What the service found of the log, over all its stretches. */
interface Verdict {
  readonly checked: number;
  readonly last: VerifyReply;
}

/** Has the service recompute what it has signed, stretch by stretch, and says whether the log is whole. */
export function SealState() {
  const may = useMay("audit:read");
  const [verdict, setVerdict] = useState<Verdict>();
  const checking = useTask(async () => {
    let checked = 0;
    let cursor: string | undefined;
    do {
      const last = await client.audit.verify({ cursor });
      checked += last.checked;
      setVerdict({ checked, last });
      cursor = last.ok ? (last.next_cursor ?? undefined) : undefined;
    } while (cursor !== undefined);
  });
  return (
    <>
      <button type="button" disabled={!may || checking.running} onClick={checking.run}>
        {checking.running ? `Checking, ${verdict?.checked ?? 0} events …` : "Check the seal"}
      </button>
      <Failure error={checking.error} what="The seal" />
      {verdict && !checking.running && <Says verdict={verdict} />}
    </>
  );
}

function Says({ verdict: { checked, last } }: { verdict: Verdict }) {
  const { ok, unsealed, first_bad, reason, restored } = last;
  return (
    <div class={ok ? "note good" : "note bad"} role="status">
      {ok ? (
        <p>
          {checked} sealed events are as they were signed; {unsealed} are not sealed yet.
        </p>
      ) : (
        <p>
          <strong>The log is not whole</strong>
          {reason && `: ${reason}`}
          {first_bad !== null && `, from event ${first_bad} on`}.
        </p>
      )}
      {restored && restored.length > 0 && <p>{restored.length} restores of the database took events away, and were accepted.</p>}
    </div>
  );
}
