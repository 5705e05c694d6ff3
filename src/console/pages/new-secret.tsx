import { useRef } from "preact/hooks";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { textOf } from "../form-data.ts";
import type { PageProps } from "../page-props.ts";
import { Failure } from "../parts/failure.tsx";
import { TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { MetadataFields, metadataOf } from "../parts/metadata-fields.tsx";
import { Page } from "../parts/page.tsx";
import { ScopeSuggestions } from "../parts/scope-suggestions.tsx";
import { ValueField, type ValueHandle } from "../parts/value-field.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useTask } from "../use-task.ts";

/** Creates a secret. One that is there already stays as it is. */
export function NewSecret({ address: { query } }: PageProps) {
  const may = useMay("secrets:write");
  const value = useRef<ValueHandle>(null);
  const creating = useTask(async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const scope = textOf(data, "scope") ?? "";
    const name = textOf(data, "name") ?? "";
    const { id } = await client.secrets.create(scope, name, (await value.current?.take()) ?? "", metadataOf(data));
    value.current?.clear();
    tell(`${name} is set in ${scope}.`, async () => {
      await client.secrets.deleteById(id);
      goTo(hrefOf("/secrets"));
    });
    goTo(hrefOf(`/secrets/${encodeURIComponent(id)}`));
  });
  return (
    <Page title="New secret">
      <Lacks of={{ "secrets:write": "you cannot set secrets" }} />
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          creating.run(event.currentTarget);
        }}
      >
        <TextField
          label="Scope"
          name="scope"
          list="scopes"
          required
          value={query.get("scope") ?? ""}
          hint="global, team:NAME, namespace:NAME, agent:NAME or repo:OWNER/NAME"
        />
        <ScopeSuggestions id="scopes" />
        <TextField label="Name" name="name" required value={query.get("name") ?? ""} hint="As in OPENAI_API_KEY." />
        <ValueField handle={value} />
        <details>
          <summary>Metadata</summary>
          <div>
            <MetadataFields />
          </div>
        </details>
        <Failure error={creating.error} what="The secret is not set" />
        <div class="actions">
          <button type="submit" class="primary" disabled={!may || creating.running}>
            {creating.running ? "Setting …" : "Set secret"}
          </button>
          <a href={hrefOf("/secrets")}>Cancel</a>
        </div>
      </form>
    </Page>
  );
}
