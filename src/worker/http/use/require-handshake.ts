import { invalid, Problem } from "../../../contract/problem.ts";

/** The one version of the protocol (RFC 6455, section 4.1). */
const VERSION = "13";
/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/**
 * Refuses a request with `Upgrade` that the runtime could not make a WebSocket of (RFC 6455, section 4.2.1), before anything is done: it
 * would open a socket of the service that nobody reads. A request without `Upgrade` is none of its business.
 *
 * @throws {Problem} `upgrade-required`, `invalid-request`.
 */
export function requireHandshake(method: string, headers: Headers): void {
  const upgrade = headers.get("Upgrade");
  if (upgrade === null) return;
  if (upgrade.toLowerCase() !== "websocket" || method !== "GET")
    throw new Problem("upgrade-required", "A GET can become a WebSocket, and nothing can become anything else.");
  // RFC 6455, section 4.4: the version that is spoken is in the refusal.
  if (headers.get("Sec-WebSocket-Version") !== VERSION)
    throw new Problem("upgrade-required", `The version of a WebSocket is ${VERSION}.`, { headers: { "Sec-WebSocket-Version": VERSION } });
  if (!KEY.test(headers.get("Sec-WebSocket-Key") ?? "")) throw invalid("header:Sec-WebSocket-Key", "the key of a WebSocket is 16 bytes in base64");
}
