import { PROBLEMS, type ProblemCode } from "../../src/contract/problem.ts";
import { type Api, isLast, type Route, responseOf } from "./api.ts";
import { checkSchema } from "./check-schema.ts";
import { checkVaultError } from "./check-vault-error.ts";
import { type Description, reachedBy } from "./descriptions.ts";
import { holdsCanary } from "./holds-canary.ts";
import type { FuzzedRequest } from "./request.ts";

/** A reply, read. Header names are in lower case. */
export interface FuzzedReply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** What is answered where there is no operation. */
const NOWHERE: readonly ProblemCode[] = ["unauthenticated", "rate-limited", "route-not-found", "method-not-allowed"];
/** What is answered to a body that nobody asked for: it is refused before anything looks at what the route takes. */
const UNASKED: readonly ProblemCode[] = ["body-too-large", "unsupported-media-type", "invalid-request"];

/** What is wrong with a reply by the API descriptions; nothing when the list is empty. */
export function checkReply(descriptions: readonly [Description, Description], request: FuzzedRequest, reply: FuzzedReply): string[] {
  const { description, route } = reachedBy(descriptions, request.method, request.target);
  const { api, wire } = description;
  const nowhere = wire === "vault" ? checkVaultNowhere : checkNowhere;
  return [
    ...(reply.status >= 500 && !isHeldUp(route, reply) ? [`answers ${reply.status}`] : []),
    ...checkHeaders(new URL(`https://keyhole.test${request.target}`).pathname, reply),
    ...checkSecrecy(route, reply),
    ...(wire === "vault" ? checkVaultError(request, reply) : []),
    ...(route ? checkDescribed(api, route, request, reply) : nowhere(api, request, reply)),
  ];
}

/** Of what has the deployment answer nothing else, those that come after it are answered so. */
function isHeldUp(route: Route | undefined, { status, text }: FuzzedReply): boolean {
  return route !== undefined && isLast(route) && status === 503 && text.includes("The deployment is being restored");
}

function checkHeaders(pathname: string, { status, headers }: FuzzedReply): string[] {
  const wrong = /^req_[0-9a-f]{32}$/.test(headers["x-request-id"] ?? "") ? [] : ["no X-Request-Id"];
  if ((pathname.startsWith("/v1/") || status >= 400) && headers["cache-control"] !== "no-store") wrong.push("no Cache-Control: no-store");
  if (headers["x-content-type-options"] !== "nosniff") wrong.push("no X-Content-Type-Options: nosniff");
  if (status === 401 && headers["www-authenticate"] !== 'Bearer error="invalid_token"') wrong.push("no WWW-Authenticate");
  if (status === 405 && !headers.allow) wrong.push("no Allow");
  return wrong;
}

const GIVES_VALUES = /^(?:resolveSecrets?|vaultRead(?:Object|Secret|Env))$/;

/** Only a resolve that succeeds gives a value. */
function checkSecrecy(route: Route | undefined, { status, headers, text }: FuzzedReply): string[] {
  if (status === 200 && GIVES_VALUES.test(route?.operationId ?? "")) return [];
  return holdsCanary(text + JSON.stringify(headers)) ? ["holds a value"] : [];
}

function checkDescribed(api: Api, route: Route, { method, body: sent }: FuzzedRequest, reply: FuzzedReply): string[] {
  const described = route.responses[reply.status] ?? (reply.status < 500 && reply.status >= 400 ? route.responses["4XX"] : undefined);
  if (!described) return [`${route.operationId} does not describe ${reply.status}`];
  const { content } = responseOf(api, described);
  if (method === "HEAD") return [];
  if (!content) return reply.text === "" ? [] : [`${route.operationId} describes no body for ${reply.status}`];
  const type = (reply.headers["content-type"] ?? "").split(";", 1)[0] ?? "";
  const media = content[type];
  if (!media) return [`${route.operationId} does not describe ${type} for ${reply.status}`];
  if (!/json$/.test(type) || type.endsWith("ndjson")) return [];
  const body: unknown = JSON.parse(reply.text);
  const wrong = checkSchema(api, media.schema ?? {}, body);
  const codes = [...Object.keys(media.examples ?? {}), ...(sent && !route.requestBody ? UNASKED : [])];
  return type === "application/problem+json" ? [...wrong, ...checkProblem(reply, body, codes)] : wrong;
}

/** What is answered on Vault's wire where there is no operation: the path or the method is wrong, or the request as such. */
function checkVaultNowhere(_: Api, { method }: FuzzedRequest, { status, text }: FuzzedReply): string[] {
  if (![400, 404, 405, 429].includes(status)) return [`answers ${status} where nothing is`];
  return status === 404 && method !== "HEAD" && !text.includes("no handler for route") ? ["does not say that there is no such path"] : [];
}

/** What is said at the address itself, to which `/metrics/..` leads too: it is for people, and the description has it not. */
const WELCOME = { name: "Keyhole", console: "/console", documentation: "/docs", openapi: "/openapi.json", health: "/healthz" };

function isWelcome({ method, target }: FuzzedRequest, { status, headers, text }: FuzzedReply): boolean {
  if (!["GET", "HEAD"].includes(method) || new URL(`https://keyhole.test${target}`).pathname !== "/") return false;
  if (status === 302) return headers.location === "/console";
  return status === 200 && (method === "HEAD" ? text === "" : text === JSON.stringify(WELCOME));
}

function checkNowhere(api: Api, request: FuzzedRequest, reply: FuzzedReply): string[] {
  const { method, body: sent } = request;
  if (isWelcome(request, reply)) return [];
  if (method === "HEAD") return reply.status >= 400 ? [] : ["answers where nothing is"];
  if (reply.headers["content-type"] !== "application/problem+json") return [`answers ${reply.status} where nothing is`];
  const body: unknown = JSON.parse(reply.text);
  return [...checkSchema(api, { $ref: "#/components/schemas/Problem" }, body), ...checkProblem(reply, body, sent ? [...NOWHERE, ...UNASKED] : NOWHERE)];
}

/** RFC 9457, and a code that is described for this status of this operation. */
function checkProblem({ status, headers }: FuzzedReply, body: unknown, codes: readonly string[]): string[] {
  const { type, title, status: said, code, request_id } = body as Record<string, unknown>;
  const known = PROBLEMS[code as ProblemCode];
  if (!known) return [`the code ${code} is not known`];
  return [
    ...(codes.includes(code as string) ? [] : [`the code ${code} is not described here`]),
    ...(known.status === status && said === status && known.title === title ? [] : ["its status or title is not the code's"]),
    ...(type === `urn:keyhole:problem:${code}` ? [] : ["its type is not the code's"]),
    ...(request_id === headers["x-request-id"] ? [] : ["its request id is not the reply's"]),
  ];
}
