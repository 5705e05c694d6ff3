import { useState } from "preact/hooks";
import type { PutService } from "../../client/create-client.ts";
import { PRESET_NAMES, type PresetName, presetOf } from "../../contract/service-presets.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { textOf } from "../form-data.ts";
import { Failure } from "../parts/failure.tsx";
import { ChoiceField, TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Page } from "../parts/page.tsx";
import { ServiceFields, serviceFieldsOf } from "../parts/service-fields.tsx";
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
        <ServiceFields preset={preset !== ""} />
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
  const [secret, origin] = [textOf(data, "secret") ?? "", textOf(data, "origin")];
  const common = { ...serviceFieldsOf(data), ...(origin !== undefined && { origin }) };
  if (preset !== "") return { preset, secret, ...common };
  const before = String(data.get("before") ?? "");
  return { ...common, inject: [{ in: "header", name: textOf(data, "header") ?? "", value: `${before}\${${secret}}` }] };
}
