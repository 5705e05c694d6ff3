import { headerOf, type Injection } from "../../contract/injection.ts";
import { invalid } from "../../contract/problem.ts";
import { BUILTIN } from "../../contract/scope.ts";
import { type PutServiceBody, SERVICE_DEFAULTS, type ServiceDefinition } from "../../contract/service.ts";
import { type Preset, presetOf, presetsAt } from "../../contract/service-presets.ts";
import { isOfAws } from "../injection/aws-scope.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import { ownHostsOf } from "../outgoing/own-hosts.ts";
import { type OutgoingRules, requirePublicOrigin } from "../outgoing/require-public-origin.ts";

/** What a definition is judged by. */
export interface DefinitionNeeds {
  /** Whether origins may have http and be on this machine. */
  readonly insecureOrigins: boolean;
  /** The deployment's own address. */
  readonly address: string;
}

/**
 * What is stored of a service that a body describes: all of it, so that a later release of the presets changes nothing.
 *
 * @param isOperator Whether it is the operator's organization, whose services may use what is built in.
 * @throws {Problem} `invalid-request`.
 */
export function planDefinition(needs: DefinitionNeeds, body: PutServiceBody, isOperator: boolean): ServiceDefinition {
  const preset = body.preset === undefined ? undefined : presetOf(body.preset);
  const { scopes, redirects, websocket, basic, ranges, audit, max_body_bytes, max_seconds } = {
    ...SERVICE_DEFAULTS,
    ...(preset && { redirects: preset.redirects, basic: preset.basic }),
    ...Object.fromEntries(Object.entries(body).filter(([, given]) => given !== undefined)),
  } as ServiceDefinition;
  const origins = originsOf(needs, preset, body);
  const inject = preset ? preset.inject(body.secret ?? "") : (body.inject ?? []);
  const allow = body.allow ?? preset?.allow ?? [];
  if (scopes.includes(BUILTIN) && !isOperator) throw invalid("/scopes", "what is built in is for services of the operator's own organization");
  refuseElsewhere(origins, inject);
  requireTokenUrls(needs, inject);
  const urlFields = body.url_fields ?? preset?.urlFields;
  const more = {
    ...(body.uses_per_minute !== undefined && { uses_per_minute: body.uses_per_minute }),
    ...(urlFields !== undefined && { url_fields: [...urlFields] }),
  };
  const lists = { inject: [...inject], allow: [...allow], redirects: [...redirects] };
  return { origins, scopes, ...lists, websocket, basic, ranges, audit, max_body_bytes, max_seconds, ...more };
}

function originsOf({ insecureOrigins, address }: DefinitionNeeds, preset: Preset | undefined, body: PutServiceBody): Record<string, string> {
  const given = body.origin === undefined ? body.origins : { "": body.origin };
  const origins = given ?? preset?.origins;
  if (!origins) throw invalid("/origin", "the address of this API is your own: give it as origin");
  const rules = { insecureOrigins, ownHosts: ownHostsOf(address, insecureOrigins) };
  for (const [name, origin] of Object.entries(origins)) {
    const pointer = body.origin === undefined ? `/origins/${name}` : "/origin";
    requireOrigin(new URL(origin), rules, pointer);
    if (given && preset && !preset.ownHost?.test(new URL(origin).hostname))
      throw invalid(pointer, "this preset has an address of its own, which is another one");
  }
  return { ...origins };
}

/** An access token is fetched where a service could be, and by credentials in `Authorization`. */
function requireTokenUrls({ insecureOrigins, address }: DefinitionNeeds, inject: readonly Injection[]): void {
  const rules = { insecureOrigins, ownHosts: ownHostsOf(address, insecureOrigins) };
  for (const [n, injection] of inject.entries()) {
    if (injection.in !== "oauth2") continue;
    const pointer = `/inject/${n}/token_url`;
    const url = new URL(injection.token_url);
    requireOrigin(url, rules, pointer);
    const places = placesAt(url.hostname);
    if (places.length > 0 && !places.includes("authorization"))
      throw invalid(pointer, `${url.hostname} takes its credential in the header ${places.join(" or ")}`);
  }
}

function requireOrigin(url: URL, rules: OutgoingRules, pointer: string): void {
  try {
    requirePublicOrigin(url, rules);
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    throw invalid(
      pointer,
      error.refusal === "own-address"
        ? "that is this deployment's own address"
        : "an origin is https, on port 443, at a public name: no address, no name of special use",
    );
  }
}

/**
 * To the API of a preset, credentials are sent only where that takes them. Whoever may write a secret may say that it goes there:
 * so there must be no place from which somebody else could read it, as `text` is at a chat.
 */
function refuseElsewhere(origins: Readonly<Record<string, string>>, inject: readonly Injection[]): void {
  for (const origin of Object.values(origins)) {
    const { hostname } = new URL(origin);
    const places = placesAt(hostname);
    if (places.length === 0) continue;
    const index = inject.findIndex((injection) => {
      const place = headerOf(injection);
      // A signature has values in other headers, too, which mean nothing outside of AWS.
      return place === null || !places.includes(place) || (injection.in === "aws-sigv4" && !isOfAws(hostname));
    });
    if (index !== -1) throw invalid(`/inject/${index}`, `${hostname} takes its credential in the header ${places.join(" or ")}`);
  }
}

/** The headers in which the presets of a host send its credential. */
function placesAt(hostname: string): (string | null)[] {
  return presetsAt(hostname).flatMap((preset) => preset.inject("X").map(headerOf));
}
