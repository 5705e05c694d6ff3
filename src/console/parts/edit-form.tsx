import type { ComponentChildren } from "preact";
import type { Task } from "../use-task.ts";
import { Failure } from "./failure.tsx";

/** What can be changed of something, folded away until somebody wants to. */
export function EditForm({ summary, saving, children }: { summary: string; saving: Task<readonly [HTMLFormElement]>; children: ComponentChildren }) {
  return (
    <details>
      <summary>{summary}</summary>
      <div>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            saving.run(event.currentTarget);
          }}
        >
          {children}
          <Failure error={saving.error} what="Nothing is changed" />
          <div class="actions">
            <button type="submit" class="primary" disabled={saving.running}>
              Save
            </button>
          </div>
        </form>
      </div>
    </details>
  );
}
