/** What tokens exchanged under a trust have as their parent. No token's id has a colon. */
export function trustParent(name: string): string {
  return `trust:${name}`;
}

/** The name of the trust that a revision is of. */
export function trustOfRevision(revision: string): string {
  return revision.slice(trustParent("").length, revision.lastIndexOf("#"));
}

/** A trust's revision, as the tokens say that were exchanged under it, and as it is revoked. */
export function trustRevision({ name, revision }: { readonly name: string; readonly revision: number }): string {
  return `${trustParent(name)}#${revision}`;
}
