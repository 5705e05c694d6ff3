/** The path of an address and its query without `?`, as they are written there: a URL parser would have changed some. */
export function pathAndQuery(address: string): { readonly path: string; readonly query: string } {
  const [, path = "/", query = ""] = /^[^:]+:\/\/[^/?#]*([^?#]*)(?:\?([^#]*))?/.exec(address) ?? [];
  return { path, query };
}

/** The origin of an address that is as the URL parser writes it, and its host without the port. */
export function originAndHost(address: string): { readonly origin: string; readonly hostname: string } {
  const [origin = "", hostname = ""] = /^[^:]+:\/\/(\[[^\]]*\]|[^/?#:]*)(?::\d+)?/.exec(address) ?? [];
  return { origin, hostname };
}
