import type { PutService, ServiceBody } from "../../client/create-client.ts";
import { linesOf, numberOf, textOf } from "../form-data.ts";
import { allowLines, parseAllow } from "../parse-allow.ts";
import { ChoiceField, LinesField, TextField } from "./field.tsx";

interface ServiceFieldsProps {
  /** The service that is changed. */
  readonly service?: ServiceBody;
  /** Whether what is let through may be left out: a preset has its own. */
  readonly preset: boolean;
}

/** What every service has: where its secrets are looked for, what it lets through, how often, and what is on record. */
export function ServiceFields({ service, preset }: ServiceFieldsProps) {
  const lines = service && allowLines(service.allow);
  return (
    <>
      <LinesField
        label="Scopes"
        name="scopes"
        required
        rows={2}
        value={service?.scopes?.join("\n") ?? ""}
        hint="Where the secret is looked for, one a line: a scope, or a kind with * for the caller's own, as in repo:*."
      />
      {service && lines === undefined ? (
        <p class="quiet">What is let through depends on more than methods and paths: it stays as it is.</p>
      ) : (
        <LinesField
          label={preset ? "Let through this instead of what the preset does" : "What is let through"}
          name="allow"
          required={!preset}
          value={lines ?? ""}
          hint="Methods and a path a line, as in GET/POST /v1/models/**"
        />
      )}
      <div class="pair">
        <TextField
          label="Uses a minute"
          name="uses_per_minute"
          type="number"
          min={1}
          max={60000}
          value={service?.uses_per_minute?.toString() ?? ""}
          hint="Of each subject. Empty: any."
        />
        <ChoiceField
          label="On record"
          name="audit"
          value={service?.audit ?? "lease"}
          choices={{ lease: "The first use, then counted", each: "Each use by itself" }}
        />
      </div>
    </>
  );
}

/** What was filled in. */
export function serviceFieldsOf(data: FormData): Pick<PutService, "scopes" | "audit" | "allow" | "uses_per_minute"> {
  const [allow, uses] = [linesOf(data, "allow"), numberOf(data, "uses_per_minute")];
  return {
    scopes: linesOf(data, "scopes") ?? [],
    audit: textOf(data, "audit") as NonNullable<PutService["audit"]>,
    ...(allow && { allow: parseAllow(allow) }),
    ...(uses !== undefined && { uses_per_minute: uses }),
  };
}
