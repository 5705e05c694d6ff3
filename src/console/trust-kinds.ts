import { pairsOf, textOf } from "./form-data.ts";

/** An issuer that is known: what a form asks, and what comes of it. */
export interface TrustKind {
  readonly title: string;
  readonly fields: readonly { readonly name: string; readonly label: string; readonly hint?: string; readonly required?: boolean; readonly value?: string }[];
  /** The scopes that are given unless others are: `${claim}` is filled from the identity token. */
  readonly scopes: string;
  readonly make: (form: FormData) => { readonly issuer: string; readonly claims: Record<string, string> };
}

/** Those of `claims` that have been given. */
function given(claims: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(claims).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The issuers that the form knows. The names of claims are those of their documentation. */
export const TRUST_KINDS: Readonly<Record<string, TrustKind>> = {
  // docs.github.com: OpenID Connect reference, "Understanding the OIDC token".
  github: {
    title: "GitHub Actions",
    fields: [
      { name: "owner", label: "Owner", required: true, hint: "The user or organization that the repositories belong to." },
      { name: "repository", label: "Repository", hint: "owner/name; empty for all of the owner." },
      { name: "ref", label: "Ref", hint: "As in refs/heads/main; empty for any." },
      { name: "environment", label: "Environment", hint: "Empty for any." },
    ],
    scopes: "repo:${repository}",
    make: (form) => ({
      issuer: "https://token.actions.githubusercontent.com",
      claims: given({
        repository_owner: textOf(form, "owner"),
        repository: textOf(form, "repository"),
        ref: textOf(form, "ref"),
        environment: textOf(form, "environment"),
      }),
    }),
  },
  // docs.gitlab.com: CI/CD, "OpenID Connect (OIDC) Authentication Using ID Tokens", token payload.
  gitlab: {
    title: "GitLab CI",
    fields: [
      { name: "address", label: "Address of GitLab", value: "https://gitlab.com", required: true },
      { name: "namespace", label: "Group", required: true, hint: "The path of the group or user." },
      { name: "project", label: "Project", hint: "group/name; empty for all of the group." },
      { name: "ref", label: "Branch or tag", hint: "Empty for any." },
    ],
    scopes: "repo:${project_path}",
    make: (form) => ({
      issuer: (textOf(form, "address") ?? "").replace(/\/$/, ""),
      claims: given({ namespace_path: textOf(form, "namespace"), project_path: textOf(form, "project"), ref: textOf(form, "ref") }),
    }),
  },
  // kubernetes.io: Managing Service Accounts, "Bound service account tokens", the private claim kubernetes.io.
  kubernetes: {
    title: "Kubernetes",
    fields: [
      { name: "address", label: "Issuer of the cluster", required: true, hint: "kubectl get --raw /.well-known/openid-configuration has it." },
      { name: "namespace", label: "Namespace", required: true },
      { name: "account", label: "Service account", hint: "Empty for any of the namespace." },
    ],
    scopes: "namespace:${/kubernetes.io/namespace}",
    make: (form) => ({
      issuer: textOf(form, "address") ?? "",
      claims: given({ "/kubernetes.io/namespace": textOf(form, "namespace"), "/kubernetes.io/serviceaccount/name": textOf(form, "account") }),
    }),
  },
  other: {
    title: "Another issuer",
    fields: [{ name: "address", label: "Issuer", required: true, hint: "Exactly as its tokens name it." }],
    scopes: "",
    make: (form) => ({ issuer: textOf(form, "address") ?? "", claims: pairsOf(form, "claims") }),
  },
};
