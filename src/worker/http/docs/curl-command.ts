import type { OperationObject } from "./api-types.ts";

/** An operation of the document, and the place of the service that is to be asked. */
export interface Request {
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

/** The command lines that make a request, one for each type of body; a shell with `TOKEN` set takes them as they are. */
export function curlCommands({ origin, method, path, operation }: Request): string[] {
  const url = quote(`${origin}${fillPath(path, operation)}`);
  const start = method === "get" ? `curl -sS ${url}` : `curl -sS -X ${method.toUpperCase()} ${url}`;
  const bearer = operation.security?.length === 0 ? [] : ['-H "Authorization: Bearer $TOKEN"'];
  const content = Object.entries((operation.requestBody as { content?: Record<string, { example?: unknown }> } | undefined)?.content ?? {});
  if (content.length === 0) return [join(start, ...bearer)];
  return content.map(([type, { example }]) => join(start, ...bearer, `-H ${quote(`Content-Type: ${type}`)}`, body(type, example)));
}

function fillPath(path: string, { parameters = [] }: OperationObject): string {
  const examples = new Map(parameters.flatMap((parameter) => ("in" in parameter && parameter.in === "path" ? [[parameter.name, parameter.example]] : [])));
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(examples.get(name) ?? name)));
}

function body(type: string, example: unknown): string {
  if (type === "application/octet-stream") return "--data-binary @value.bin";
  return `--data-raw ${quote(typeof example === "string" ? example : JSON.stringify(example))}`;
}

/** Text as one word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function join(...parts: string[]): string {
  return parts.join(" \\\n  ");
}
