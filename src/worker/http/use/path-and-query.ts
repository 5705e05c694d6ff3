/** The path of an address and its query without `?`, as they are written there: a URL parser would have changed some. */
export function pathAndQuery(address: string): { readonly path: string; readonly query: string } {
  const [, path = "/", query = ""] = /^[^:]+:\/\/[^/?#]*([^?#]*)(?:\?([^#]*))?/.exec(address) ?? [];
  return { path, query };
}
