import { useEffect, useState } from "preact/hooks";
import { dismiss, onToasts, type Toast, tell } from "../toasts.ts";
import { useTask } from "../use-task.ts";
import { Failure } from "./failure.tsx";

/** What has happened, with what undoes it. */
export function Toasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  useEffect(() => onToasts(setToasts), []);
  return (
    <section class="toasts" aria-label="What has happened" aria-live="polite">
      {toasts.map((toast) => (
        <One key={toast.id} toast={toast} />
      ))}
    </section>
  );
}

function One({ toast: { id, text, undo } }: { toast: Toast }) {
  const undoing = useTask(async () => {
    await undo?.();
    dismiss(id);
    tell(`Undone: ${text}`);
  });
  return (
    <div class="toast">
      <span>{text}</span>
      {undo && (
        <button type="button" onClick={undoing.run} disabled={undoing.running}>
          Undo
        </button>
      )}
      <button type="button" class="plain" aria-label={`Dismiss: ${text}`} onClick={() => dismiss(id)}>
        ✕
      </button>
      <Failure error={undoing.error} what="Undo" />
    </div>
  );
}
