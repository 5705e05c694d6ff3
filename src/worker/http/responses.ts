import type { ZodType } from "zod";
import { PROBLEMS, type ProblemCode, problemSchema } from "../../contract/problem.ts";

const EVERYWHERE: ProblemCode[] = ["unauthenticated", "forbidden", "rate-limited", "internal", "storage-unavailable"];

/** A JSON reply for the API description. */
export function json<T extends ZodType>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** The headers of a reply that carries an entity tag, for the API description. */
export const ETAG_HEADER = { ETag: { description: "Names this state; for If-Match and If-None-Match.", schema: { type: "string" as const } } };

/** The problem replies of a route that needs a token, by status, for the API description: `codes` and those any such route has. */
export function problems(...codes: ProblemCode[]) {
  return problemResponses([...codes, ...EVERYWHERE]);
}

/** The problem replies with these codes, by status, for the API description. */
export function problemResponses(codes: readonly ProblemCode[]) {
  const byStatus = Map.groupBy(new Set(codes), (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      status,
      {
        description: list.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(" "),
        content: { "application/problem+json": { schema: problemSchema, example: problemExample(list[0] ?? "internal") } },
      },
    ]),
  );
}

function problemExample(code: ProblemCode) {
  const { status, title } = PROBLEMS[code];
  return { type: `urn:keyhole:problem:${code}`, title, status, code, detail: `${title}.`, request_id: "req_0b6ae8a2c5f64f0c9a2f7d0d5b1c3e4f" };
}
