import { fillTemplate, type Injection, namesIn, templatesOf } from "../../contract/injection.ts";
import { Problem } from "../../contract/problem.ts";
import { clientCredentialsRequest } from "../injection/client-credentials.ts";
import type { AwsCredentials } from "../injection/sign-for-aws.ts";
import type { Released } from "../secrets/release-secrets.ts";
import type { TokenClient } from "./access-token.ts";

/** What is put into a request, and what must not come back. */
export interface Credentials {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Signs the request. */
  readonly signing: AwsCredentials | null;
  /** Fetches the access token that goes into it. */
  readonly client: TokenClient | null;
  /** What is looked for in replies: the values, and the credentials that have been made of them. */
  readonly hidden: readonly string[];
  /** Finds that with less work, as `scrubbingTable` makes it; `null` where there is none. */
  readonly table: Uint8Array | null;
}

/** A shorter one would be found where it is not meant, and could be guessed by what is missing. */
const MIN_BYTES = 12;
/** As much as servers take of headers. */
const MAX_FILLED = 16_384;

/**
 * Makes credentials of values.
 *
 * @throws {Problem} `value-not-injectable`, `value-too-short`, which name no value.
 */
export function fillCredentials(inject: readonly Injection[], secrets: readonly Released[]): Credentials {
  const values = new Map<string, string>(secrets.map((secret) => [secret.name, textOf(secret)]));
  const fill = (template: string) => fillTemplate(template, (name) => values.get(name) ?? missing(name));
  const headers: [string, string][] = [];
  const query: [string, string][] = [];
  const hidden: string[] = [];
  let signing: AwsCredentials | null = null;
  let client: TokenClient | null = null;
  for (const injection of inject) {
    // Whoever defines a service says where a name stands: also what is put in as a user name is hidden.
    const names = new Set(templatesOf(injection).flatMap(namesIn));
    hidden.push(...[...values].filter(([name]) => names.has(name)).map(([name, value]) => longEnough(name, value)));
    if (injection.in === "basic") {
      const username = fill(injection.username);
      if (username.includes(":")) throw new Problem("value-not-injectable", "A user name has no ':'.");
      const encoded = new TextEncoder().encode(`${username}:${fill(injection.password)}`).toBase64();
      hidden.push(encoded);
      headers.push(["Authorization", `Basic ${encoded}`]);
    } else if (injection.in === "aws-sigv4") {
      const { access_key_id, secret_access_key, session_token, services } = injection;
      const sessionToken = session_token === undefined ? undefined : fill(session_token);
      signing = { accessKeyId: fill(access_key_id), secretAccessKey: fill(secret_access_key), sessionToken, services };
    } else if (injection.in === "oauth2") {
      const { token_url, client_id, client_secret, scope } = injection;
      const versions = secrets.filter(({ name }) => names.has(name)).map(({ id, version, mark = "" }) => `${id} ${version} ${mark}`);
      client = { url: token_url, clientId: fill(client_id), clientSecret: fill(client_secret), scope, templates: templatesOf(injection), versions };
      hidden.push(...clientCredentialsRequest(client).hidden);
    } else if (injection.in === "query") query.push([injection.name, fill(injection.value)]);
    else headers.push([injection.name, fill(injection.value)]);
  }
  const size = [...headers, ...query].reduce((sum, [, value]) => sum + value.length, 0);
  if (size > MAX_FILLED) throw new Problem("value-not-injectable", `The credentials of a request have at most ${MAX_FILLED} bytes.`);
  return { headers, query, signing, client, hidden: [...new Set(hidden)], table: null };
}

const PRINTABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** A value as a header can have it (RFC 9110, section 5.5), without the end of its last line. */
function textOf({ name, bytes }: Released): string {
  const text = new TextDecoder("latin1").decode(bytes).replace(/\r?\n$/, "");
  if (!PRINTABLE.test(text))
    throw new Problem("value-not-injectable", `The value of ${name} is no text of one line in printable ASCII, so it does not fit into a request.`);
  return text;
}

function longEnough(name: string, value: string): string {
  if (value.length >= MIN_BYTES) return value;
  throw new Problem("value-too-short", `The value of ${name} has under ${MIN_BYTES} bytes: it could not be told from other text in a reply.`);
}

function missing(name: string): never {
  throw new Error(`the value of ${name} was not released`);
}
