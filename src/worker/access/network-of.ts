/**
 * The network that an address stands for: an IPv4 address itself, of an IPv6 address the first 64 bits, as in
 * `2001:db8:1:2::/64`, because whoever has one address there has all of them (RFC 6177, section 2). What is no address stays as it is.
 */
export function networkOf(address: string | null): string | null {
  if (address === null || !address.includes(":")) return address;
  const groups = expand(address);
  return groups ? `${groups.slice(0, 4).join(":")}::/64` : address;
}

/** The eight groups of an IPv6 address, without leading zeros (RFC 5952, section 4). */
function expand(address: string): string[] | undefined {
  if (!URL.canParse(`http://[${address}]/`)) return undefined;
  const [head = "", tail = ""] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const [before, after] = [head, tail].map((part) => (part === "" ? [] : part.split(":")));
  if (!before || !after) return undefined;
  return [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
}
