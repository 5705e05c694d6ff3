import type { SecretBody } from "../../client/create-client.ts";
import { inputTime, linesOf, numberOf, pairsOf, textOf, timeOf } from "../form-data.ts";
import { CheckField, LinesField, TextField } from "./field.tsx";

/** All metadata, as the form has it. */
interface Metadata {
  readonly description: string | null;
  readonly labels: Record<string, string>;
  readonly expires_at: string | null;
  readonly rotate_after_days: number | null;
  readonly hosts: string[];
  readonly max_lease_seconds: number | null;
  readonly locked: boolean;
  readonly variable: boolean;
}

/** The metadata of a secret, to be filled in. */
export function MetadataFields({ secret }: { secret?: SecretBody }) {
  const labels = Object.entries(secret?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return (
    <>
      <TextField label="Description" name="description" hint="What it is for; never the value." value={secret?.description ?? ""} />
      <LinesField label="Labels" name="labels" hint="One key=value a line." rows={2} value={labels.join("\n")} />
      <div class="pair">
        <TextField
          label="Expires"
          name="expires_at"
          type="datetime-local"
          hint="From then on a resolve is refused. By the clock of this machine."
          value={inputTime(secret?.expires_at ?? null)}
        />
        <TextField
          label="Rotate after (days)"
          name="rotate_after_days"
          type="number"
          min={1}
          max={3650}
          hint="A new value is due so long after the last."
          value={secret?.rotate_after_days?.toString() ?? ""}
        />
      </div>
      <LinesField label="Hosts" name="hosts" rows={2} hint="Where services may send the value: one a line." value={secret?.hosts.join("\n") ?? ""} />
      <TextField
        label="Longest lease (seconds)"
        name="max_lease_seconds"
        type="number"
        min={0}
        max={300}
        hint="Empty: as the deployment allows. 0: none."
        value={secret?.max_lease_seconds?.toString() ?? ""}
      />
      <CheckField label="Locked" name="locked" value={secret?.locked ?? false} hint="It wins over every narrower scope, where its name cannot be set." />
      <CheckField
        label="May become an environment variable"
        name="variable"
        value={secret?.variable ?? true}
        hint="Without this also a reserved name can be stored."
      />
    </>
  );
}

/** What was filled in. What is empty has no value. */
export function metadataOf(form: FormData): Metadata {
  return {
    description: textOf(form, "description") ?? null,
    labels: pairsOf(form, "labels"),
    expires_at: timeOf(form, "expires_at") ?? null,
    rotate_after_days: numberOf(form, "rotate_after_days") ?? null,
    hosts: linesOf(form, "hosts") ?? [],
    max_lease_seconds: numberOf(form, "max_lease_seconds") ?? null,
    locked: form.has("locked"),
    variable: form.has("variable"),
  };
}

/** Those fields of `next` that are not as the secret has them: what nobody has changed is not sent, and needs no permission. */
export function changesOf(secret: SecretBody, next: Metadata): Partial<Metadata> {
  const shown: Metadata = { ...next, expires_at: inputTime(next.expires_at), hosts: [...next.hosts].sort() };
  const before: Metadata = { ...secret, expires_at: inputTime(secret.expires_at), hosts: [...secret.hosts].sort() };
  const differs = (name: keyof typeof shown) => JSON.stringify(sorted(shown[name])) !== JSON.stringify(sorted(before[name]));
  return Object.fromEntries(Object.entries(next).filter(([name]) => differs(name as keyof typeof shown)));
}

function sorted(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value).sort() : value;
}
