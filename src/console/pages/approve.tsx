import { useEffect, useState } from "preact/hooks";
import { goTo, hrefOf } from "../address.ts";
import { type Approval, decide, readApproval } from "../approvals.ts";
import { textOf } from "../form-data.ts";
import { Alone } from "../parts/alone.tsx";
import { Failure } from "../parts/failure.tsx";
import { TextField } from "../parts/field.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Time } from "../parts/time.tsx";
import { useSession } from "../session.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";

/** Lets a device or a command line have a token, after a look at what it would be: its code, from where it asks, and what it may. */
export function Approve({ code }: { code: string }) {
  const { organization, subject } = useSession();
  useEffect(() => {
    document.title = "Approve a login · Keyhole";
  }, []);
  return (
    <Alone title="Approve a login">
      <p>
        You are logged in to <strong>{organization}</strong> as {subject}.
      </p>
      {code === "" ? <Ask /> : <Asked key={code} code={code} />}
    </Alone>
  );
}

function Ask() {
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        goTo(hrefOf(`/approve/${encodeURIComponent(textOf(new FormData(event.currentTarget), "code") ?? "")}`));
      }}
    >
      <TextField label="Code" name="code" required hint="As the device shows it." />
      <div class="actions">
        <button type="submit" class="primary">
          Continue
        </button>
      </div>
    </form>
  );
}

function Asked({ code }: { code: string }) {
  const asked = useLoad((signal) => readApproval(code, signal), [code]);
  const [done, setDone] = useState<boolean>();
  const deciding = useTask(async (approve: boolean) => {
    const location_ = await decide(code, approve);
    setDone(approve);
    if (location_ !== undefined) location.assign(location_);
  });
  if (done !== undefined) return <p role="status">{done ? "Approved. You can close this page." : "Refused. Nobody has got a token."}</p>;
  return (
    <Loaded of={asked} what="What is asked for">
      {(approval) => (
        <>
          <Facts approval={approval} />
          <p>
            If you have not begun this login yourself just now, somebody else has: <strong>refuse</strong>.
          </p>
          <Failure error={deciding.error} what="The approval" />
          <div class="actions">
            <button type="button" onClick={() => deciding.run(false)} disabled={deciding.running}>
              Refuse
            </button>
            <button type="button" class="primary" onClick={() => deciding.run(true)} disabled={deciding.running}>
              Approve
            </button>
          </div>
        </>
      )}
    </Loaded>
  );
}

function Facts({ approval: { client, organization, subject, permissions, address, code, expires_at } }: { approval: Approval }) {
  return (
    <dl class="facts">
      <dt>Who asks</dt>
      <dd>
        {client}
        {address && `, from ${address}`}
      </dd>
      {code && (
        <>
          <dt>Its code</dt>
          <dd>
            <strong class="mono">{code}</strong> <span class="quiet">has to be the one that the device shows</span>
          </dd>
        </>
      )}
      <dt>Organization</dt>
      <dd>
        <strong>{organization}</strong>
      </dd>
      <dt>Subject</dt>
      <dd>{subject}</dd>
      <dt>It may then</dt>
      <dd>
        <span class="badges">
          {permissions.map((permission) => (
            <code key={permission} class="badge">
              {permission}
            </code>
          ))}
        </span>
      </dd>
      <dt>Until</dt>
      <dd>
        <Time at={expires_at} />
      </dd>
    </dl>
  );
}
