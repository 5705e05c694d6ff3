import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useTask } from "../use-task.ts";
import { Failure } from "./failure.tsx";

interface ConfirmButtonProps {
  /** What the button says. */
  readonly label: string;
  /** What the button is called where several say the same. */
  readonly name?: string;
  readonly question: string;
  readonly children: ComponentChildren;
  /** What the button of the dialog says. */
  readonly confirm: string;
  readonly act: () => Promise<void>;
  readonly disabled?: boolean;
  readonly harmless?: boolean;
}

/** A button for what should not happen by a slip: it asks first. */
export function ConfirmButton({ label, name, question, children, confirm, act, disabled = false, harmless = false }: ConfirmButtonProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const task = useTask(async () => {
    await act();
    dialog.current?.close();
  });
  return (
    <>
      <button type="button" class={harmless ? undefined : "danger"} aria-label={name} disabled={disabled} onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <dialog ref={dialog} aria-label={question}>
        <h2>{question}</h2>
        {children}
        <Failure error={task.error} />
        <div class="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="button" class={harmless ? "primary" : "danger solid"} onClick={task.run} disabled={task.running}>
            {task.running ? "Working …" : confirm}
          </button>
        </div>
      </dialog>
    </>
  );
}
