/** The keywords of JSON Schema that the API description uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Record<string, Schema>;
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
}

interface Media {
  readonly schema?: Schema;
  readonly examples?: Record<string, unknown>;
}

export interface Response {
  readonly $ref?: string;
  readonly content?: Record<string, Media>;
}

export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema?: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, Response>;
}

/** An OpenAPI document, as far as the fuzzer reads it. */
export interface Api {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema>; readonly responses: Record<string, Response> };
}

/** An operation with where it is. */
export interface Route extends Operation {
  readonly method: string;
  readonly path: string;
}

/** Whether a document describes Vault's wire. */
export function isVaultApi({ paths }: Api): boolean {
  return Object.hasOwn(paths, "/v1/sys/health");
}

/** Whether an operation is one of Vault's wire. */
export function isOfVault({ operationId }: Route): boolean {
  return operationId.startsWith("vault");
}

/** Whether an operation makes an end of the token of whoever asks for it. */
export function spendsToken({ operationId }: Route): boolean {
  return operationId === "vaultRevokeSelf";
}

/**
 * What has the deployment answer nothing else, and what then ends every token, those too that requests are made with: they
 * come last, or not at all. The first is at the path of the second, and the method of a request may be another one.
 */
const LAST = ["compareStores", "reconcileStores", "finishRestore"];

/** Whether requests of an operation keep all others from being answered. */
export function isLast({ operationId }: Route): boolean {
  return LAST.includes(operationId);
}

/** Every operation of a document. */
export function routesOf(api: Api): Route[] {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
}

/** The schema itself, or the one that it refers to. */
export function schemaOf(api: Api, schema: Schema): Schema {
  return schema.$ref === undefined ? schema : (api.components.schemas[schema.$ref.replace("#/components/schemas/", "")] ?? {});
}

/** The response itself, or the one that it refers to. */
export function responseOf(api: Api, response: Response): Response {
  return response.$ref === undefined ? response : (api.components.responses[response.$ref.replace("#/components/responses/", "")] ?? {});
}

/** The operation that a request reaches, whatever it was meant for; `undefined` when there is none. HEAD is answered where GET is. */
export function findRoute(routes: readonly Route[], method: string, pathname: string): Route | undefined {
  const wanted = method === "HEAD" ? "GET" : method;
  const matching = routes.filter((route) => route.method === wanted && templateOf(route.path).test(pathname));
  return matching.find(({ path }) => path === pathname) ?? matching[0];
}

function templateOf(path: string): RegExp {
  const literal = path.replaceAll(".", "\\.");
  return new RegExp(`^${literal.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`);
}

/** The parameters that an operation has in the path, the query or the headers. */
export function parametersIn(route: Route, place: string): Parameter[] {
  return (route.parameters ?? []).filter((parameter) => parameter.in === place);
}
