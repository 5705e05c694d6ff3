import type { OperationObject } from "../worker/http/docs/api-types.ts";

/** An operation of the document. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

/** The command lines that make a request, one for each type of body; a shell with `KEYHOLE_URL` and `TOKEN` set takes them as they are. */
export function curlCommands({ method, path, operation }: Request): string[] {
  const url = `"$KEYHOLE_URL"${quote(fillPath(path, operation))}`;
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
