import { useLayoutEffect } from "preact/hooks";
import type { SessionBody, SessionToConfirm } from "../../contract/console.ts";
import { Alone } from "../parts/alone.tsx";
import { Failure } from "../parts/failure.tsx";
import { GivenPermissions } from "../parts/given-permissions.tsx";
import { useSettled } from "../use-settled.ts";
import { useTask } from "../use-task.ts";

interface ConfirmationProps {
  readonly asked: SessionToConfirm;
  /** The session that is open, and would be another one. */
  readonly open?: SessionBody;
  readonly onConfirm: () => Promise<void>;
  readonly onCancel: () => void;
}

/** Shows what would be logged into, and waits for a click. */
export function Confirmation({ asked, open, onConfirm, onCancel }: ConfirmationProps) {
  const settled = useSettled();
  const confirming = useTask(onConfirm);
  useLayoutEffect(() => {
    document.title = "Confirm the login · Keyhole";
  }, []);
  return (
    <Alone title="Is this where you want to be logged in?">
      <p>
        What you type afterwards goes into this organization. If you have not asked for this login just now, somebody else has: <strong>cancel</strong>.
      </p>
      <dl class="facts">
        <dt>Organization</dt>
        <dd>
          <strong>{asked.organization}</strong>
        </dd>
        <dt>Subject</dt>
        <dd>{asked.subject}</dd>
        <dt>Permissions</dt>
        <dd>
          <GivenPermissions of={asked.permissions} />
        </dd>
        {open && (
          <>
            <dt>Instead of</dt>
            <dd>
              {open.organization}, as {open.subject}
            </dd>
          </>
        )}
      </dl>
      <Failure error={confirming.error} what="The login" />
      <div class="actions">
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="button" class="primary" onClick={confirming.run} disabled={!settled || confirming.running}>
          Log in to {asked.organization}
        </button>
      </div>
    </Alone>
  );
}
