import type { PresetName } from "../../contract/preset-names.ts";
import type { CallOptions, PageQuery } from "./calls.ts";

/** What a service allows: any of `methods` at any of `paths`, if the query and the target are as they are to be. */
export interface AllowRule {
  methods: string[];
  /** Segment by segment: `*` is one, `name*` one that begins so, a last `/**` any rest, also none. */
  paths: string[];
  /** Parameters that the query has exactly once, with exactly these values. */
  query?: Record<string, string> | undefined;
  /** What `X-Amz-Target` is one of. */
  targets?: string[] | undefined;
}

/** A credential: what is put where into a request. `${NAME}` stands for the value of a secret. */
export type Injection =
  | { in: "header"; name: string; value: string }
  | { in: "query"; name: string; value: string }
  | { in: "basic"; username: string; password: string }
  | { in: "aws-sigv4"; access_key_id: string; secret_access_key: string; session_token?: string | undefined; services: string[] }
  | { in: "oauth2"; token_url: string; client_id: string; client_secret: string; scope?: string | undefined };

/** Where a service's requests go, what is put into them, and which are let through. */
export interface PutService {
  /** Fills in everything but the secret's name and the scopes; what is given beside it counts instead. */
  preset?: PresetName | undefined;
  /** With a preset: the secret that has the credential. */
  secret?: string | undefined;
  /** Short for `origins` with this one. */
  origin?: string | undefined;
  /** Where requests go: the first is called "". */
  origins?: Record<string, string> | undefined;
  /** Where its secrets are looked for, the most specific first. */
  scopes: string[];
  inject?: Injection[] | undefined;
  allow?: AllowRule[] | undefined;
  /** Hosts to which a redirect is passed on, without credentials. */
  redirects?: string[] | undefined;
  websocket?: boolean | undefined;
  /** Whether clients may send the token as the password of Basic credentials, as git does. */
  basic?: boolean | undefined;
  ranges?: boolean | undefined;
  audit?: "lease" | "each" | undefined;
  max_body_bytes?: number | undefined;
  max_seconds?: number | undefined;
  uses_per_minute?: number | undefined;
  url_fields?: string[] | undefined;
}

/** A service: with `services:write` all of it; with `secrets:use` its name, its preset and what it allows. */
export interface ServiceBody {
  name: string;
  preset: PresetName | null;
  allow: AllowRule[];
  /** Whether it is the operator's, for every organization. */
  builtin: boolean;
  /** Counts its changes. */
  revision?: number | undefined;
  origins?: Record<string, string> | undefined;
  scopes?: string[] | undefined;
  inject?: { in: string; [member: string]: unknown }[] | undefined;
  redirects?: string[] | undefined;
  websocket?: boolean | undefined;
  basic?: boolean | undefined;
  ranges?: boolean | undefined;
  audit?: string | undefined;
  max_body_bytes?: number | undefined;
  max_seconds?: number | undefined;
  uses_per_minute?: number | undefined;
  url_fields?: string[] | undefined;
  created_at?: string | undefined;
  created_by?: string | undefined;
  updated_at?: string | undefined;
  updated_by?: string | undefined;
}

/** One page of services. */
export interface ServicePage {
  services: ServiceBody[];
  next_cursor: string | null;
}

/** Services: APIs that are used without holding the credential. */
export interface ServiceCalls {
  /**
   * Makes or replaces a service.
   *
   * @example
   * await client.services.put("openai", { preset: "openai", secret: "OPENAI_API_KEY", scopes: ["namespace:prod"] });
   */
  put(name: string, service: PutService, options?: CallOptions): Promise<ServiceBody>;
  /**
   * One service: all of it with `services:write`, with `secrets:use` its name, its preset and what it allows.
   *
   * @example
   * const { allow } = await client.services.get("openai");
   */
  get(name: string, options?: CallOptions): Promise<ServiceBody>;
  /**
   * One page of them, by name.
   *
   * @example
   * const { services } = await client.services.list();
   */
  list(query?: PageQuery, options?: CallOptions): Promise<ServicePage>;
  /**
   * All of them, page after page.
   *
   * @example
   * for await (const { name, preset } of client.services.listAll()) console.log(name, preset);
   */
  listAll(options?: CallOptions): AsyncGenerator<ServiceBody>;
  /**
   * Deletes a service.
   *
   * @example
   * await client.services.delete("openai");
   */
  delete(name: string, options?: CallOptions): Promise<void>;
}
