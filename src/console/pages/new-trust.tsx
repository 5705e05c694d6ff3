import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { numberOf, textOf } from "../form-data.ts";
import type { PageProps } from "../page-props.ts";
import { Failure } from "../parts/failure.tsx";
import { ChoiceField, LinesField, TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Page } from "../parts/page.tsx";
import { grantOf, PermissionFields } from "../parts/permission-fields.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { TRUST_KINDS } from "../trust-kinds.ts";
import { useTask } from "../use-task.ts";

/** Trusts an issuer: GitHub, GitLab, a Kubernetes cluster, or another one. */
export function NewTrust({ address: { query } }: PageProps) {
  const may = useMay("trusts:write");
  const name = query.get("kind") ?? "github";
  const kind = TRUST_KINDS[name] ?? TRUST_KINDS.github;
  const making = useTask(async (form: HTMLFormElement) => {
    if (!kind) return;
    const data = new FormData(form);
    const trust = textOf(data, "name") ?? "";
    const audience = textOf(data, "audience");
    const expires_in = numberOf(data, "expires_in") ?? 900;
    await client.trusts.put(trust, { ...kind.make(data), ...grantOf(data), expires_in, ...(audience !== undefined && { audience }) });
    tell(`The trust ${trust} is in force.`, async () => {
      await client.trusts.delete(trust);
      goTo(hrefOf("/trusts"));
    });
    goTo(hrefOf(`/trusts/${encodeURIComponent(trust)}`));
  });
  if (!kind) return null;
  return (
    <Page title="New trust">
      <Lacks of={{ "trusts:write": "you cannot make trusts" }} />
      <nav class="choices" aria-label="Kinds of issuers">
        {Object.entries(TRUST_KINDS).map(([each, { title }]) => (
          <a key={each} class="button" href={hrefOf("/new/trust", { kind: each })} aria-current={TRUST_KINDS[each] === kind ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <form
        key={name}
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          making.run(event.currentTarget);
        }}
      >
        <TextField label="Name" name="name" required value={name === "other" ? "" : name} hint="A trust of this name is replaced." />
        {kind.fields.map((field) => (
          <TextField key={field.name} {...field} />
        ))}
        {kind === TRUST_KINDS.other && (
          <LinesField
            label="Claims"
            name="claims"
            required
            hint="One claim=pattern a line. A trailing * matches any rest; a claim that begins with / is a JSON Pointer."
          />
        )}
        <TextField label="Audience" name="audience" hint="What its tokens are for. Empty: this deployment's own address." />
        <PermissionFields scopes={kind.scopes} />
        <ChoiceField
          label="A token is valid for"
          name="expires_in"
          value="900"
          choices={{ "300": "5 minutes", "900": "15 minutes", "3600": "1 hour", "86400": "1 day" }}
        />
        <Failure error={making.error} what="Nothing is trusted" />
        <div class="actions">
          <button type="submit" class="primary" disabled={!may || making.running}>
            Trust this issuer
          </button>
          <a href={hrefOf("/trusts")}>Cancel</a>
        </div>
      </form>
    </Page>
  );
}
