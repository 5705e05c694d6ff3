import type { TrustBody } from "../../client/create-client.ts";
import { client } from "../client.ts";
import { trustDefinition } from "../definition-of.ts";
import { numberOf, textOf } from "../form-data.ts";
import { tell } from "../toasts.ts";
import { useTask } from "../use-task.ts";
import { EditForm } from "./edit-form.tsx";
import { ChoiceField, TextField } from "./field.tsx";
import { RuleFields, rulesOf } from "./rule-fields.tsx";

const REUSE = { "until-expiry": "As often as asked, until it expires", once: "Once" } as const;

/** Changes what a trust asks and gives. Its issuer and that one's keys stay. */
export function EditTrust({ trust, onChange }: { trust: TrustBody; onChange: () => void }) {
  const { name, audience, expires_in, reuse } = trust;
  const before = trustDefinition(trust);
  const saving = useTask(async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const { secret_scopes, secret_names, services, ...kept } = before;
    const changed = { audience: textOf(data, "audience") ?? audience, expires_in: numberOf(data, "expires_in") ?? expires_in };
    await client.trusts.put(name, { ...kept, ...changed, ...rulesOf(data), reuse: textOf(data, "reuse") as TrustBody["reuse"] });
    tell(`The trust ${name} is changed.`, async () => {
      await client.trusts.put(name, before);
      onChange();
    });
    onChange();
  });
  return (
    <EditForm summary="Change what it asks and gives" saving={saving}>
      <RuleFields of={trust}>
        <TextField label="Audience" name="audience" required value={audience} />
      </RuleFields>
      <div class="pair">
        <TextField label="A token is valid for (seconds)" name="expires_in" type="number" min={60} max={86_400} required value={String(expires_in)} />
        <ChoiceField label="How often one is exchanged" name="reuse" value={reuse} choices={REUSE} />
      </div>
    </EditForm>
  );
}
