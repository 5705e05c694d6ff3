/** Why there is no connection, as far as the runtime says so. */
export type ConnectionFault = "name" | "refused" | "port" | "no-tls" | "certificate" | "proxy" | "closed";

/** What comes after "cannot be reached". */
export const CONNECTION_FAULTS: Readonly<Record<ConnectionFault, string>> = {
  name: "there is no such name (DNS)",
  refused: "nothing listens on this port (connection refused)",
  port: "no program may call this port",
  "no-tls": "what answers does not speak TLS",
  certificate: "its certificate is not trusted here",
  proxy: "the proxy refuses, or does not answer",
  closed: "the other side closed the connection",
};

/** The code of an error that a proxy's connection ended with, for whoever makes `fetch` go by one. */
export const PROXY_FAILED = "KEYHOLE_PROXY_FAILED";

const BY_CODE: readonly (readonly [RegExp, ConnectionFault])[] = [
  [new RegExp(`^${PROXY_FAILED}$`), "proxy"],
  [/^(?:ENOTFOUND|EAI_AGAIN|EAI_NONAME)$/, "name"],
  [/^ECONNREFUSED$/, "refused"],
  [/^(?:ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL)|EPROTO)$/, "no-tls"],
  [/^(?:CERT_.*|.*_CERT_.*|.*_CERT|.*SELF_SIGNED.*|UNABLE_TO_.*|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_CA)$/, "certificate"],
  [/^(?:ECONNRESET|UND_ERR_SOCKET|EPIPE|HPE_.*)$/, "closed"],
];

/** Why a `fetch` failed; `undefined` where nothing more is known. Node says it in the causes of the error. */
export function connectionFaultOf(error: unknown): ConnectionFault | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  const [, fault] = BY_CODE.find(([pattern]) => typeof code === "string" && pattern.test(code)) ?? [];
  if (fault !== undefined) return fault;
  if (error.message === "bad port") return "port";
  // Of a name with several addresses each has been tried.
  const [inner] = error instanceof AggregateError ? error.errors : [error.cause];
  return connectionFaultOf(inner);
}

/** What another attempt a moment later would not change. */
const LASTING: ReadonlySet<ConnectionFault | undefined> = new Set(["port", "no-tls", "certificate"]);

/** Whether a connection that failed may succeed a moment later. */
export function mayPass(error: unknown): boolean {
  return !LASTING.has(connectionFaultOf(error));
}

/** Whether there was no connection at all, so that nothing of the request can have arrived. */
export function neverConnected(error: unknown): boolean {
  const fault = connectionFaultOf(error);
  return fault === "name" || fault === "refused" || fault === "port";
}
