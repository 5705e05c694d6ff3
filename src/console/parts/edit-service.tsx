import type { ServiceBody } from "../../client/create-client.ts";
import { client } from "../client.ts";
import { secretOf, serviceDefinition } from "../definition-of.ts";
import { textOf } from "../form-data.ts";
import { tell } from "../toasts.ts";
import { useTask } from "../use-task.ts";
import { EditForm } from "./edit-form.tsx";
import { TextField } from "./field.tsx";
import { ServiceFields, serviceFieldsOf } from "./service-fields.tsx";

/** Changes a service. Where it goes, and how it puts its credentials in, stays. */
export function EditService({ service, onChange }: { service: ServiceBody; onChange: () => void }) {
  const { name, preset } = service;
  const before = serviceDefinition(service);
  const saving = useTask(async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const { uses_per_minute, ...kept } = before;
    const secret = textOf(data, "secret");
    await client.services.put(name, { ...kept, ...serviceFieldsOf(data), ...(secret !== undefined && { secret }) });
    tell(`The service ${name} is changed.`, async () => {
      await client.services.put(name, before);
      onChange();
    });
    onChange();
  });
  return (
    <EditForm summary="Change it" saving={saving}>
      {preset !== null && <TextField label="Secret" name="secret" required value={secretOf(service)} hint="Its hosts have to name where it goes." />}
      <ServiceFields service={service} preset={preset !== null} />
    </EditForm>
  );
}
