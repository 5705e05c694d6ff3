import { unauthenticated } from "../../access/verify-token.ts";
import { TOKEN_HEADERS } from "../../services/forwarded-headers.ts";

/** The token of a request, and where it was that only some services take one. */
export interface FoundToken {
  readonly token: string;
  readonly tokenIn: "basic" | "query" | "header";
  /** The names of parameters in the query that had it. */
  readonly parameters: ReadonlySet<string>;
  /** Of a request for a WebSocket the subprotocols that it offers, without the one that had it; `null` for any other request. */
  readonly subprotocols: readonly string[] | null;
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const QUERY_NAME = "key";
/** Clients that cannot send a header have their key in the name of a subprotocol, as OpenAI's in a browser do. */
const IN_SUBPROTOCOL = "openai-insecure-api-key.";

/**
 * Finds the token of a request in the places where clients of APIs have their key. All of them say the same one: two different ones
 * would be two callers.
 *
 * @throws {Problem} `unauthenticated`.
 */
export function findToken(headers: Headers, query: string): FoundToken {
  const found: { readonly text: string; readonly in: FoundToken["tokenIn"] }[] = [];
  for (const name of TOKEN_HEADERS) {
    const value = headers.get(name)?.trim() ?? "";
    if (value === "") continue;
    if (name !== "authorization") found.push({ text: value, in: "header" });
    else found.push(...fromAuthorization(value));
  }
  const offered = headers.has("Upgrade") ? subprotocolsOf(headers) : null;
  found.push(...(offered ?? []).filter(hasToken).map((name) => ({ text: name.slice(IN_SUBPROTOCOL.length), in: "header" as const })));
  const inQuery = query === "" ? [] : new URLSearchParams(query).getAll(QUERY_NAME).filter((text) => JWT.test(text));
  found.push(...inQuery.map((text) => ({ text, in: "query" as const })));
  const [first, ...others] = found;
  if (!first) throw unauthenticated(headers.has("Authorization") ? "not-bearer" : "no-token");
  if (others.some(({ text }) => text !== first.text) || !JWT.test(first.text)) throw unauthenticated("not-bearer");
  return {
    token: first.text,
    tokenIn: found.some((each) => each.in === "header") ? "header" : first.in,
    parameters: new Set(inQuery.length > 0 ? [QUERY_NAME] : []),
    subprotocols: offered === null ? null : offered.filter((name) => !hasToken(name) && !name.includes(first.text)),
  };
}

const hasToken = (subprotocol: string) => subprotocol.toLowerCase().startsWith(IN_SUBPROTOCOL);

/** The subprotocols that a request for a WebSocket offers (RFC 6455, section 4.1). */
function subprotocolsOf(headers: Headers): string[] {
  return (headers.get("Sec-WebSocket-Protocol") ?? "").split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
}

function fromAuthorization(value: string): { text: string; in: "basic" | "header" }[] {
  const [, scheme = "", rest = ""] = /^(\S+) +(.*)$/s.exec(value) ?? [];
  const kind = scheme.toLowerCase();
  if (kind === "bearer" || kind === "token") return [{ text: rest.trim(), in: "header" }];
  if (kind === "basic") return [{ text: fromBasic(rest.trim()), in: "basic" }];
  // A signature of AWS says nothing here: the token is beside it.
  if (kind.startsWith("aws4-")) return [];
  throw unauthenticated("not-bearer");
}

/** The password of Basic credentials (RFC 7617), or the user name where there is none. */
function fromBasic(encoded: string): string {
  try {
    const text = new TextDecoder().decode(Uint8Array.fromBase64(encoded));
    const at = text.indexOf(":");
    const [username, password] = at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    return password === "" || !JWT.test(password) ? username : password;
  } catch {
    throw unauthenticated("not-bearer");
  }
}
