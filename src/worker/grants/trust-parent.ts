/** What tokens exchanged under a trust have as their parent. No token's id has a colon. */
export function trustParent(name: string): string {
  return `trust:${name}`;
}
