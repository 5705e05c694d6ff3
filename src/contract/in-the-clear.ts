/** What {@link isLoopback} says of an address as the URL parser writes it, told quickly. */
const LOOPBACK = /^http:\/\/(?:localhost|\[::1\]|127(?:\.\d{1,3}){3})(?::\d+)?\//;

/** Whether what goes to an address crosses a network in the clear. */
export function isInTheClear(url: string): boolean {
  if (url.startsWith("https://") || LOOPBACK.test(url)) return false;
  const parsed = new URL(url);
  return parsed.protocol !== "https:" && !isLoopback(parsed);
}

/** Whether an address is this machine's own: `localhost`, or a literal address of the loopback interface (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3). */
export function isLoopback({ hostname }: Pick<URL, "hostname">): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
