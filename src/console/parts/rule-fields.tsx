import type { ComponentChildren } from "preact";
import type { LoginBody, TrustBody } from "../../client/create-client.ts";
import type { Permission } from "../../contract/permissions.ts";
import { pairsOf } from "../form-data.ts";
import { LinesField } from "./field.tsx";
import { grantOf, PermissionFields } from "./permission-fields.tsx";

interface RuleFieldsProps {
  /** What is changed. */
  readonly of?: TrustBody | LoginBody | undefined;
  /** What something new gives unless it is chosen otherwise. */
  readonly chosen?: readonly Permission[];
  /** Fields that stand between the two. */
  readonly children?: ComponentChildren;
}

/** What claims have to be, and what that gives: what trusts and logins have alike. */
export function RuleFields({ of, chosen, children }: RuleFieldsProps) {
  const claims = Object.entries(of?.claims ?? {}).map(([claim, pattern]) => `${claim}=${pattern}`);
  const lines = (patterns: readonly string[] | null | undefined) => patterns?.join("\n") ?? "";
  return (
    <>
      <LinesField
        label="Claims"
        name="claims"
        required
        hint="One claim=pattern a line. A trailing * matches any rest; a claim that begins with / is a JSON Pointer."
        value={claims.join("\n")}
      />
      {children}
      <PermissionFields
        {...((of?.permissions ?? chosen) && { chosen: of?.permissions ?? chosen })}
        scopes={lines(of?.secret_scopes)}
        names={lines(of?.secret_names)}
        services={lines(of?.services)}
      />
    </>
  );
}

/** What was filled in. */
export function rulesOf(data: FormData) {
  return { claims: pairsOf(data, "claims"), ...grantOf(data) };
}
