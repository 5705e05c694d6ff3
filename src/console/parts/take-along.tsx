import { useState } from "preact/hooks";
import { useTask } from "../use-task.ts";
import { Failure } from "./failure.tsx";

/** A credential that was just made, to be taken along this once: by the clipboard or as a file. It is never in the page. */
export function TakeAlong({ what, file, text }: { what: string; file: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const copying = useTask(async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  });
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = file;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <div class="note good" role="status">
      <p>
        <strong>{what}</strong> It can be taken along now, and not later: it is not stored, and not shown here.
      </p>
      <div class="actions">
        <button type="button" class="primary" onClick={copying.run}>
          {copied ? "Copied" : "Copy it"}
        </button>
        <button type="button" onClick={save}>
          Save it as a file
        </button>
      </div>
      <Failure error={copying.error} what="It is not copied" />
    </div>
  );
}
