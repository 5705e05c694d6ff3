import { useRef, useState } from "preact/hooks";
import type { AuditFilter } from "../../client/create-client.ts";
import { client } from "../client.ts";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useTask } from "../use-task.ts";
import { Failure } from "./failure.tsx";

/** Takes all events that a filter has as a file, oldest first, a line each. That is on record, too. */
export function Export({ filter }: { filter: AuditFilter }) {
  const may = useMay("audit:read");
  const [count, setCount] = useState(0);
  const ending = useRef<AbortController>(null);
  const exporting = useTask(async () => {
    const abort = new AbortController();
    ending.current = abort;
    const lines: string[] = [];
    setCount(0);
    try {
      for await (const event of client.audit.stream(filter, { signal: abort.signal })) {
        lines.push(`${JSON.stringify(event)}\n`);
        if (lines.length % 100 === 0) setCount(lines.length);
      }
    } catch (error) {
      if (abort.signal.aborted) return;
      throw error;
    }
    save(new Blob(lines, { type: "application/x-ndjson" }), "audit.ndjson");
    tell(`${lines.length} events are exported.`);
  });
  return (
    <>
      <button type="button" disabled={!may || exporting.running} onClick={exporting.run}>
        {exporting.running ? `Exporting, ${count} events …` : "Export"}
      </button>
      {exporting.running && (
        <button type="button" onClick={() => ending.current?.abort()}>
          Stop the export
        </button>
      )}
      <Failure error={exporting.error} what="The export" />
    </>
  );
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
