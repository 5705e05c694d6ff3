import { useRef } from "preact/hooks";
import type { SecretBody } from "../../client/create-client.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import type { PageProps } from "../page-props.ts";
import { Failure } from "../parts/failure.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { ValueField, type ValueHandle } from "../parts/value-field.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";

/** Gives a secret another value: typed, generated, or from a file. */
export function NewValue({ address, id }: PageProps) {
  const secret = useLoad((signal) => client.secrets.getById(id, { signal }), [id]);
  return (
    <Page title="New value" about={secret.value && `${secret.value.name} in ${secret.value.scope}, now version ${secret.value.version}`}>
      <Lacks of={{ "secrets:write": "you cannot set values" }} />
      <Loaded of={secret} what="The secret">
        {(secret) => <Form secret={secret} generate={address.query.get("way") === "generate"} />}
      </Loaded>
    </Page>
  );
}

function Form({ secret, generate }: { secret: SecretBody; generate: boolean }) {
  const may = useMay("secrets:write");
  const value = useRef<ValueHandle>(null);
  const href = hrefOf(`/secrets/${encodeURIComponent(secret.id)}`);
  const setting = useTask(async () => {
    const { version, changed } = await client.secrets.patch(secret.id, { value: (await value.current?.take()) ?? "" });
    value.current?.clear();
    if (changed) {
      tell(`${secret.name} has version ${version} now.`, async () => {
        await client.secrets.rollback(secret.id, secret.version);
        goTo(href);
      });
    } else tell(`${secret.name} had this value already: nothing has changed.`);
    goTo(href);
  });
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        setting.run();
      }}
    >
      <ValueField handle={value} first={generate ? "generate" : "type"} />
      <Failure error={setting.error} what="The value is not set" />
      <div class="actions">
        <button type="submit" class="primary" disabled={!may || setting.running}>
          {setting.running ? "Setting …" : "Set new value"}
        </button>
        <a href={href}>Cancel</a>
      </div>
    </form>
  );
}
