import { useState } from "preact/hooks";
import { client } from "../client.ts";
import { useMay } from "../session.ts";
import { relativeTime } from "../times.ts";
import { tell } from "../toasts.ts";
import { ConfirmButton } from "./confirm-button.tsx";

/** Deletes all secrets of a scope, some at a time, and shows how far it is. */
export function DeleteScopeSecrets({ scope, secrets, onChange }: { scope: string; secrets: number; onChange: () => void }) {
  const may = useMay("secrets:write");
  const [done, setDone] = useState(0);
  const empty = async () => {
    let deleted = 0;
    for (;;) {
      const page = await client.scopes.deleteSecrets(scope);
      deleted += page.deleted;
      setDone(deleted);
      if (page.remaining > 0 && page.deleted > 0) continue;
      const until = page.deleted_until === null ? "" : ` The list of deleted secrets has them, until ${relativeTime(page.deleted_until)}.`;
      tell(`${deleted} secrets of ${scope} are deleted.${until}`);
      return onChange();
    }
  };
  return (
    <ConfirmButton label="Empty" name={`Empty ${scope}`} question={`Delete all secrets of ${scope}?`} confirm={`Delete ${secrets}`} disabled={!may} act={empty}>
      <p>Nobody is given them any more. Each can be undeleted from the list of deleted secrets, for as long as the deployment keeps those.</p>
      {done > 0 && <progress aria-label="Deleted so far" value={done} max={Math.max(secrets, done)} />}
    </ConfirmButton>
  );
}
