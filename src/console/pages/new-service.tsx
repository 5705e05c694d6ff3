import { useState } from "preact/hooks";
import type { PutService } from "../../client/create-client.ts";
import { PRESET_NAMES, type PresetName, presetOf } from "../../contract/service-presets.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { linesOf, numberOf, textOf } from "../form-data.ts";
import { parseAllow } from "../parse-allow.ts";
import { Failure } from "../parts/failure.tsx";
import { ChoiceField, LinesField, TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Page } from "../parts/page.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useTask } from "../use-task.ts";

const CHOICES = Object.fromEntries([["", "Another API"], ...PRESET_NAMES.map((name) => [name, `${name}: ${presetOf(name).about}`])]);

/** Declares a service: one of the presets, or any API with its key in a header. */
export function NewService() {
  const may = useMay("services:write");
  const [preset, setPreset] = useState<PresetName | "">("openai");
  const own = preset === "" || presetOf(preset).ownHost !== null;
  const making = useTask(async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const name = textOf(data, "name") ?? "";
    await client.services.put(name, serviceOf(data, preset));
    tell(`The service ${name} is there.`, async () => {
      await client.services.delete(name);
      goTo(hrefOf("/services"));
    });
    goTo(hrefOf(`/services/${encodeURIComponent(name)}`));
  });
  return (
    <Page title="New service">
      <Lacks of={{ "services:write": "you cannot make services" }} />
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          making.run(event.currentTarget);
        }}
      >
        <ChoiceField label="Preset" name="preset" value={preset} choices={CHOICES} onChoose={(value) => setPreset(value as PresetName | "")} />
        <TextField key={preset} label="Name" name="name" required value={preset} hint="A service of this name is replaced." />
        {own && (
          <TextField
            label="Address of the API"
            name="origin"
            type="url"
            required={preset === "" || presetOf(preset).origins === null}
            placeholder="https://api.example.com"
          />
        )}
        <TextField label="Secret" name="secret" required hint="The name of the secret that has the key. Its hosts have to name where it goes." />
        {preset === "" && <TextField label="Header" name="header" required value="Authorization" />}
        {preset === "" && <TextField label="What stands before the key there" name="before" value="Bearer " hint="As in Bearer; empty for the key alone." />}
        <LinesField
          label="Scopes"
          name="scopes"
          required
          rows={2}
          hint="Where the secret is looked for, one a line: a scope, or a kind with * for the caller's own, as in repo:*."
        />
        <LinesField
          label={preset === "" ? "What is let through" : "Let through this instead of what the preset does"}
          name="allow"
          required={preset === ""}
          hint="Methods and a path a line, as in GET/POST /v1/models/**"
        />
        <div class="pair">
          <TextField label="Uses a minute" name="uses_per_minute" type="number" min={1} max={60000} hint="Of each subject. Empty: any." />
          <ChoiceField label="On record" name="audit" value="lease" choices={{ lease: "The first use, then counted", each: "Each use by itself" }} />
        </div>
        <Failure error={making.error} what="There is no new service" />
        <div class="actions">
          <button type="submit" class="primary" disabled={!may || making.running}>
            Make the service
          </button>
          <a href={hrefOf("/services")}>Cancel</a>
        </div>
      </form>
    </Page>
  );
}

function serviceOf(data: FormData, preset: PresetName | ""): PutService {
  const lines = (name: string) => linesOf(data, name);
  const [secret, origin, allow, uses] = [textOf(data, "secret") ?? "", textOf(data, "origin"), lines("allow"), numberOf(data, "uses_per_minute")];
  const common = {
    scopes: lines("scopes") ?? [],
    audit: textOf(data, "audit") as PutService["audit"],
    ...(origin !== undefined && { origin }),
    ...(allow && { allow: parseAllow(allow) }),
    ...(uses !== undefined && { uses_per_minute: uses }),
  };
  if (preset !== "") return { preset, secret, ...common };
  const before = String(data.get("before") ?? "");
  return { ...common, inject: [{ in: "header", name: textOf(data, "header") ?? "", value: `${before}\${${secret}}` }] };
}
