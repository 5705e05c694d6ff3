import { useEffect, useRef, useState } from "preact/hooks";
import type { DeviceBody } from "../../contract/console.ts";
import { textOf } from "../form-data.ts";
import { AnswerButtons } from "../parts/answer-buttons.tsx";
import { Failure } from "../parts/failure.tsx";
import { TextField } from "../parts/field.tsx";
import { GivenPermissions } from "../parts/given-permissions.tsx";
import { Page } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { useSession } from "../session.ts";
import { readDevice } from "../session-calls.ts";
import { onCode, takeCode } from "../take-code.ts";
import { useTask } from "../use-task.ts";

/** A program elsewhere waits to be let in: by the code that it shows. */
export function Device() {
  const { organization } = useSession();
  const [device, setDevice] = useState<DeviceBody>();
  const looking = useTask(async (code: string) => setDevice(await readDevice(organization, code)));
  const look = useRef(looking.run);
  look.current = looking.run;
  useEffect(() => {
    const code = takeCode("user_code");
    if (code !== undefined) look.current(code);
    return onCode("user_code", (code) => look.current(code));
  }, []);
  return (
    <Page title="Let a device in" about="A program that has no browser shows a code, as keyhole login --device does. Type it here to see what asks.">
      <Failure error={looking.error} what="The code" />
      {device === undefined ? (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            const code = textOf(new FormData(event.currentTarget), "user-code");
            if (code !== undefined) looking.run(code);
          }}
        >
          <TextField label="Code" name="user-code" placeholder="WDJB-MJHT" required />
          <div class="actions">
            <button type="submit" class="primary" disabled={looking.running}>
              Show what asks
            </button>
          </div>
        </form>
      ) : (
        <Decision key={device.user_code} device={device} onDecided={setDevice} />
      )}
    </Page>
  );
}

/** Shows what asks, and waits for a click. */
function Decision({ device, onDecided }: { device: DeviceBody; onDecided: (device: DeviceBody) => void }) {
  const { organization, subject } = useSession();
  const deciding = useTask(async (approved: boolean) => onDecided(await readDevice(organization, device.user_code, approved)));
  if (device.approved !== null)
    return (
      <div class="note" role="status">
        <p>
          {device.approved ? "It is let in" : "It is refused"}: <code>{device.user_code}</code>. You can go back to the device.
        </p>
      </div>
    );
  return (
    <>
      <p>
        Compare the code with the one on the device. If it is another one, or somebody sent you here, <strong>refuse</strong>: whoever asks would be logged in
        as you.
      </p>
      <dl class="facts">
        <dt>Code</dt>
        <dd>
          <strong>
            <code>{device.user_code}</code>
          </strong>
        </dd>
        <dt>Asks from</dt>
        <dd>{device.ip ?? "an unknown address"}</dd>
        <dt>Says that it is</dt>
        <dd>{device.user_agent ?? "unknown"}</dd>
        <dt>Asked</dt>
        <dd>
          <Time at={device.asked_at} />
        </dd>
        <dt>Organization</dt>
        <dd>
          <strong>{organization}</strong>
        </dd>
        <dt>Subject</dt>
        <dd>{subject}</dd>
        <dt>Permissions</dt>
        <dd>
          <GivenPermissions of={device.permissions} />
        </dd>
      </dl>
      <AnswerButtons answering={deciding} what="The decision" yes={`Let it in to ${organization}`} />
    </>
  );
}
