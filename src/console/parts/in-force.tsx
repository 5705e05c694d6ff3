/** Whether anything is exchanged under a trust, or anybody logs in by a login. */
export function InForce({ of: { suspended } }: { of: { readonly suspended: boolean } }) {
  return suspended ? <span class="badge bad">suspended</span> : <span class="badge good">in force</span>;
}
