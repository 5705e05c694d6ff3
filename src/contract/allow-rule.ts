import * as z from "zod";
import { matches, type Pattern } from "./pattern.ts";
import { parseRequestPath, type RequestPath } from "./request-path.ts";

const METHOD = /^[A-Z]{1,20}(?:-[A-Z]{1,20})?$/;
/** Methods of a connection, and one that gives a request's credentials back. */
const NEVER_ALLOWED: ReadonlySet<string> = new Set(["CONNECT", "TRACE"]);
const REST = "**";

/** The segments of a pattern, decoded, each with whether any rest may follow it. */
interface Segment {
  readonly text: string;
  readonly open: boolean;
}

/** A path in `allow`, parsed. */
interface ParsedPattern {
  readonly segments: readonly Segment[];
  /** Whether any rest may follow. */
  readonly rest: boolean;
}

function parsePattern(pattern: string): ParsedPattern | undefined {
  const rest = pattern.endsWith(`/${REST}`);
  const path = rest ? pattern.slice(0, -REST.length - 1) : pattern;
  if (path === "") return rest ? { segments: [], rest } : undefined;
  // A star is no character of what is decoded: a literal one is written %2A.
  const parts = path.slice(1).split("/");
  const plain = parseRequestPath(parts.map((part) => `/${part.replace(/\*$/, "")}`).join(""));
  if (typeof plain === "string" || !path.startsWith("/")) return undefined;
  if (parts.some((part, at) => /\*./.test(part) || (part === "" && (rest || at < parts.length - 1)))) return undefined;
  return { segments: plain.segments.map((text, at) => ({ text, open: parts[at]?.endsWith("*") === true })), rest };
}

/**
 * A path that a service allows, segment by segment: a segment is itself, `*` is any one that is not empty, `name*` one that
 * begins so, and a last `/**` any rest, also none.
 */
export const pathPatternSchema = z
  .string()
  .min(1)
  .max(1024)
  .refine((pattern) => parsePattern(pattern) !== undefined, {
    error: "a path begins with '/'; '*' stands at the end of a segment, '/**' at the end of all; percent-encode what a URL does not have as it is",
  })
  .meta({ description: "Segment by segment: `*` is one, `name*` one that begins so, a last `/**` any rest, also none.", example: "/v1/models/**" });

const TARGET = "[A-Za-z0-9_.-]{1,200}";
const IS_TARGET = new RegExp(`^${TARGET}$`);
const targetPatternSchema = z
  .string()
  .regex(new RegExp(`^${TARGET}\\*?$`), { error: "a target is letters, digits, '.', '_' and '-', with '*' at the end for any rest" })
  .meta({ example: "DynamoDB_20120810.GetItem" });

/** What a service allows: any of `methods` at any of `paths`, if the query and the target are as they are to be. */
export const allowRuleSchema = z
  .strictObject({
    methods: z
      .array(
        z
          .string()
          .regex(METHOD, { error: "a method is in capital letters" })
          .refine((method) => !NEVER_ALLOWED.has(method), { error: "neither CONNECT nor TRACE" }),
      )
      .min(1)
      .max(20),
    paths: z.array(pathPatternSchema).min(1).max(100),
    query: z
      .record(z.string().min(1).max(200), z.string().max(1000))
      .refine((query) => Object.keys(query).length > 0, { error: "leave it out to let every query pass" })
      .optional()
      .meta({ description: "Parameters that the query has exactly once, with exactly these values." }),
    targets: z.array(targetPatternSchema).min(1).max(100).optional().meta({ description: "What `X-Amz-Target` is one of." }),
  })
  .meta({ id: "AllowRule", example: { methods: ["GET"], paths: ["/v1/models/**"] } });

export type AllowRule = z.infer<typeof allowRuleSchema>;

/** What is asked of a service. */
export interface Asked {
  readonly method: string;
  readonly path: RequestPath;
  /** The query as it came, without `?`. */
  readonly query: string;
  /** The header `X-Amz-Target`, `null` where there is none. */
  readonly target: string | null;
}

/** Which of `rules` allows what is asked, the first one by its place; -1 for none. */
export function findAllowRule(rules: readonly AllowRule[], asked: Asked): number {
  return rules.findIndex((rule) => allows(rule, asked));
}

function allows({ methods, paths, query, targets }: AllowRule, asked: Asked): boolean {
  if (!methods.includes(asked.method) || !paths.some((pattern) => pathMatches(pattern, asked.path))) return false;
  if (query && !queryMatches(query, asked.query)) return false;
  if (!targets) return true;
  // Two of them, which are one text with a comma, are none.
  const target = asked.target ?? "";
  return IS_TARGET.test(target) && targets.some((pattern) => matches(pattern as Pattern, target));
}

/** Whether a pattern of {@link pathPatternSchema} matches a path. A pattern that is none matches nothing. */
export function pathMatches(pattern: string, { segments }: RequestPath): boolean {
  const parsed = parsePattern(pattern);
  if (!parsed || (parsed.rest ? segments.length < parsed.segments.length : segments.length !== parsed.segments.length)) return false;
  return parsed.segments.every(({ text, open }, at) => {
    const segment = segments[at] ?? "";
    // An empty segment is none to a server that takes `//` for `/`.
    return open ? segment !== "" && segment.startsWith(text) : segment === text;
  });
}

/** A parameter that comes twice, or behind a `;` that some servers split at, is whatever the server likes: it matches nothing. */
function queryMatches(wanted: Readonly<Record<string, string>>, query: string): boolean {
  if (query.includes(";")) return false;
  const parameters = new URLSearchParams(query);
  return Object.entries(wanted).every(([name, value]) => {
    const [found, ...more] = parameters.getAll(name);
    return found === value && more.length === 0;
  });
}
