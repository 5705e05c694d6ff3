import { type ConnectionFault, connectionFaultOf } from "../client/connection-fault.ts";
import { KeyholeError } from "../client/create-client.ts";
import { KeysFileError } from "../keys-file/keys-file-error.ts";
import { CliError } from "./cli-error.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

/** Anything that was thrown, as the two lines that people see. */
export function describeError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof KeysFileError) return new CliError(error.message, error.hint);
  if (error instanceof KeyholeError) return new CliError(messageOf(error), hintFor(error), exitCodeFor(error), placesOf(error));
  if (error instanceof Error && "syscall" in error) return new CliError(error.message, hintForSystem(error));
  const message = error instanceof Error ? error.message : String(error);
  return new CliError(`unexpected: ${message}`, "this looks like a mistake in keyhole itself; please report it");
}

function hintForSystem(error: object): string {
  return "code" in error && error.code === "ENOSPC" ? "make room where it is written to" : "check that the file is there and may be read or written";
}

function messageOf({ code, status, message, members: { expired = [], unavailable = [] } }: KeyholeError): string {
  if (code === "unauthenticated") return "the service does not accept this token";
  if (code === "unexpected-reply" && status === 429) return "what stands before the service asks to try later (status 429)";
  if (code === "unexpected-reply" && status !== undefined && status >= 500) return `the service, or what stands before it, fails (status ${status})`;
  const listed = [...expired, ...unavailable.map(({ name }) => name)].filter((name) => !message.includes(name));
  return [message, ...listed].join(" ");
}

/** Everything that is wrong, where that is more than the message says. */
function placesOf({ message, members: { errors = [] } }: KeyholeError): string[] {
  const places = errors.map(({ pointer, detail }) => (pointer === "" ? detail : `${pointer}: ${detail}`));
  return places.every((place) => message.includes(place)) ? [] : places;
}

const HINTS: Record<string, string> = {
  "invalid-request": "`--help` after a command shows what it takes",
  unauthenticated: "it is expired, revoked or for another deployment: `keyhole login`, or set KEYHOLE_TOKEN",
  forbidden: "`keyhole status` shows what this token may do",
  "secret-not-found": "`keyhole list` shows what there is",
  "token-not-found": "`keyhole token list` shows the tokens",
  "trust-not-found": "`keyhole trust list` shows the trusts",
  "login-not-found": "`keyhole logins list` shows the logins",
  "service-not-found": "`keyhole service list` shows the services",
  "webhook-not-found": "`keyhole webhook list` shows the webhooks",
  "store-not-found": "`keyhole store list` shows the stores",
  "store-in-use": "`keyhole scope list` shows which scopes are in stores; `keyhole scope put SCOPE --out-of-store` takes one out",
  "scope-in-store": "take the scope out of its store first: `keyhole scope put SCOPE --out-of-store`; a secret there can be purged once it is deleted",
  "store-refused": "`keyhole store check NAME` tries the store; what its credential may do is set up there",
  "store-unavailable": "`keyhole store check NAME` says what fails; try again in a moment",
  "host-not-allowed": "set the secret again with --host for each host that it is to go to",
  "scope-not-found": "`keyhole scope list` shows the scopes",
  "version-not-found": "`keyhole versions NAME` shows the versions",
  "secret-exists": "leave --create away to give it a new value",
  "write-conflict": "something else writes the same thing; try again in a moment",
  "env-name-conflict": "choose another name, or set the one that is there: one scope holds one secret of an environment name",
  "secret-expired": "set a new value, with --expires for a new date",
  "version-conflict": "look at its state now, then try again",
  "value-too-large": "a value has at most 65,536 bytes",
  "answer-too-large": "name the ones you want with --only",
  "too-many-secrets": "name the ones you want with --only",
  "name-locked": "change it where it is locked: `keyhole explain NAME` shows where that is",
  "quota-exceeded": "delete what is not needed any more, or ask the operator for more",
  "name-reserved": "choose another name: docs/reserved-names.md says which are reserved, and why",
  "rate-limited": "wait a little, then try again",
  unreachable: "check the address (`keyhole status`) and the network",
  "unexpected-reply": "check the address: `keyhole status` shows it",
  "exchange-refused": "check KEYHOLE_TRUST, and the trust's issuer, audience and claims (`keyhole trust get NAME`)",
  "narrowing-refused": "`keyhole status` shows what your token holds",
  "exchange-unavailable": "it does not depend on you: try again in a while",
  "storage-unavailable": "the service cannot reach its storage; try again in a moment",
};

const CONNECTION_HINTS: Record<ConnectionFault, string> = {
  name: "is the address right (`keyhole status`)? Where only a proxy knows it, set HTTPS_PROXY",
  refused: "is the address right (`keyhole status`), and does the service run?",
  port: "browsers' rules forbid this port: serve on another one",
  "no-tls": "an address that is not https begins with http://; else the port is another one",
  certificate: "NODE_EXTRA_CA_CERTS names a file with the certificate of an authority of your own; what stands in between may have put its own",
  proxy: "check HTTPS_PROXY; NO_PROXY names hosts that are called without it",
  closed: "does the service speak TLS there? Then the address begins with https://",
};

function hintFor({ code, status = 0, requestId, cause }: KeyholeError): string {
  const fault = code === "unreachable" ? connectionFaultOf(cause) : undefined;
  if (fault !== undefined) return CONNECTION_HINTS[fault];
  const hint = status >= 500 && code === "unexpected-reply" ? HINTS["exchange-unavailable"] : HINTS[status === 429 ? "rate-limited" : code];
  const request = requestId === undefined ? "" : `request ${requestId}`;
  return hint ?? (request ? `the service's log has more under ${request}` : "`keyhole --help` shows the commands");
}

function exitCodeFor({ code, status = 0 }: KeyholeError): ExitCode {
  if (code === "unreachable" || code === "write-conflict" || status === 429 || status >= 500) return EXIT.unavailable;
  if (status === 401 || status === 403 || code === "exchange-refused" || code === "narrowing-refused") return EXIT.refused;
  if (code === "invalid-request" && status === 400) return EXIT.usage;
  return status === 404 || status === 410 ? EXIT.notFound : EXIT.failed;
}
