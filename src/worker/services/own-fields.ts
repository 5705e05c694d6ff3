import type { Addresses } from "./own-addresses.ts";

/** How large a document may be whose addresses are made Keyhole's, in bytes. A larger one streams as it came. */
const MOST = 4 * 2 ** 20;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
/** The rest of a string of JSON (RFC 8259, section 7), and what comes after the name of a member whose value is a string. */
const STRING = /([^"\\]*(?:\\.[^"\\]*)*)"/sy;
const VALUE = /\s*:\s*"/y;

/** Whether addresses in the body of a reply are to be made Keyhole's. */
export function hasOwnFields(fields: readonly string[] | undefined, type: string | null): fields is readonly string[] {
  return fields !== undefined && fields.length > 0 && JSON_TYPE.test(type ?? "");
}

/**
 * A stream of JSON in which the service's own addresses are as they are called here, where they are the values of some members: clients
 * that follow them would go past Keyhole, with its token. Nothing is decoded: what is not such an address stays as it is written. The whole
 * document is waited for, up to 4 MiB.
 *
 * @param fields The names of the members: exact, or `*` and an end.
 */
export function ownFields(
  { base, definition: { origins } }: Pick<Addresses, "base" | "definition">,
  fields: readonly string[],
): TransformStream<Uint8Array, Uint8Array> {
  const begins = Object.entries(origins).map(([name, origin]) => ({ pattern: beginning(origin), here: `${base}${name === "" ? "" : `/~${name}`}` }));
  const rewrite = (text: string) => rewriteAddresses(text, (address) => ownAddressIn(address, begins), fields);
  let waiting: Uint8Array[] | null = [];
  let size = 0;
  return new TransformStream({
    transform(chunk, to) {
      size += chunk.length;
      if (waiting !== null && size <= MOST) return void waiting.push(chunk);
      for (const each of [...(waiting ?? []), chunk]) to.enqueue(each);
      waiting = null;
    },
    async flush(to) {
      if (waiting === null || size === 0) return;
      const bytes = new Uint8Array(await new Blob(waiting as Uint8Array<ArrayBuffer>[]).arrayBuffer());
      const text = decode(bytes);
      to.enqueue(text === undefined ? bytes : new TextEncoder().encode(rewrite(text)));
    },
  });
}

/** Finds members by strings alone, because outside of those JSON has no `"`; each character is looked at a few times at the most. */
function rewriteAddresses(text: string, ownAddress: (address: string) => string | undefined, fields: readonly string[]): string {
  const isNamed = (name: string) => fields.some((field) => (field.startsWith("*") ? name.endsWith(field.slice(1)) : name === field));
  const parts: string[] = [];
  let copied = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    const name = match(STRING, text, at + 1);
    // It has no end: that is no JSON.
    if (!name) break;
    at = STRING.lastIndex;
    if (!match(VALUE, text, at)) continue;
    const start = VALUE.lastIndex;
    const value = match(STRING, text, start)?.[1];
    if (value === undefined) break;
    at = STRING.lastIndex;
    const own = isNamed(name[1] ?? "") ? ownAddress(value) : undefined;
    if (own === undefined) continue;
    parts.push(text.slice(copied, start), own);
    copied = start + value.length;
  }
  return [...parts, text.slice(copied)].join("");
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

interface Beginning {
  readonly pattern: RegExp;
  readonly here: string;
}

function ownAddressIn(address: string, begins: readonly Beginning[]): string | undefined {
  for (const { pattern, here } of begins) {
    const [whole] = pattern.exec(address) ?? [];
    // What comes after the origin stays as it is, a URI template (RFC 6570) for one.
    if (whole !== undefined) return `${here}${address.slice(whole.length)}`;
  }
  return undefined;
}

/** An origin at the beginning of a string of JSON, which may have `/` as `\/`, and that ends there. */
function beginning(origin: string): RegExp {
  return new RegExp(`^${origin.replaceAll(".", "\\.").replaceAll("/", "\\\\?/")}(?=\\\\?/|[?#]|$)`);
}

/** What is not UTF-8 is no JSON. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
