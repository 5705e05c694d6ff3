import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { JSONWebKeySet } from "jose";
import * as z from "zod";
import { checkpointSchema, type Newer } from "../src/contract/audit.ts";
import { fail } from "./settings.ts";
import { parseEvent, verifyExport } from "./verify-export.ts";

const HELP = `Verifies an exported audit log against its checkpoints, without the deployment that it comes from.

  npm run -s verify-audit -- --log FILE --checkpoints FILE --jwks FILE [--anchor FILE] [--org NAME]

  --checkpoints FILE  GET /v1/audit/checkpoints; of several pages, one after the other
  --log FILE          GET /v1/audit?format=ndjson, exported after the checkpoints
  --jwks FILE         GET /.well-known/audit-jwks.json; of a deployment without LOG_KEY jwks.json does too
  --anchor FILE       keyhole audit anchor, kept from any time before; of several, one after the other
  --org NAME          the organization                       [that of the first event]

It prints {"ok", "checked", "unsealed", "first_bad"} and exits with 0 if the log is as it was sealed, with 1 if not, and
then with "reason": changed; behind or differs by an anchor; no-anchor when an anchor does not speak of this log. If it
finds nothing bad, but what only a later version of it can check, it prints "newer", where that is, and exits with 2.
Without an anchor it cannot see that a log was set back to an earlier state of its own, or taken away.
`;

const HINT = "npm run -s verify-audit -- --help";

const pageSchema = z.object({ checkpoints: z.array(checkpointSchema), head: z.string().nullable(), generations: z.array(z.string()).optional() });
const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

const files = readArguments();
const pages = readPages(files.checkpoints);
const events = readLines(files.log);
const finding = await verifyExport({
  org: files.org ?? events[0]?.org ?? "",
  events,
  checkpoints: pages.flatMap((page) => page.checkpoints),
  head: pages.at(-1)?.head ?? null,
  jwks: readJwks(files.jwks),
  generations: pages.at(-1)?.generations ?? [],
  anchors: files.anchor === undefined ? [] : readAnchors(files.anchor),
});
console.log(JSON.stringify(finding));
if (finding.newer) console.error(`${whatIsNewer(finding.newer)}, which this verifier does not know\nhint: update it, and verify again`);
process.exitCode = finding.ok ? 0 : finding.newer ? 2 : 1;

function whatIsNewer({ version }: Newer): string {
  return version === null ? "this log has checkpoints of a later Keyhole" : `this log has events of version ${version}`;
}

function readLines(file: string) {
  const lines = readText(file).split("\n");
  return lines.flatMap((line, n) => (line === "" ? [] : [orFail(() => parseEvent(line), `${file}, line ${n + 1} is not an audit event`)]));
}

/** Pages of checkpoints, one JSON document after the other. */
function readPages(file: string): z.infer<typeof pageSchema>[] {
  const documents = readText(file)
    .trim()
    .split(/(?<=\})\s*(?=\{\s*"checkpoints")/);
  return documents.map((document) => orFail(() => pageSchema.parse(JSON.parse(document)), `${file} is not a list of checkpoints`));
}

/** The anchors in a file: each is a JWS, as it is or in a reply. */
function readAnchors(file: string): string[] {
  const anchors = readText(file).match(/[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g);
  return anchors ?? fail(`${file} has no anchor`, HINT);
}

function readJwks(file: string): JSONWebKeySet {
  return orFail(() => jwksSchema.parse(JSON.parse(readText(file))), `${file} is not a JWK Set`);
}

function orFail<T>(parse: () => T, message: string): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return fail(message, HINT);
    throw error;
  }
}

function readArguments(): { log: string; checkpoints: string; jwks: string; anchor: string | undefined; org: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        log: { type: "string" },
        checkpoints: { type: "string" },
        jwks: { type: "string" },
        anchor: { type: "string" },
        org: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const { log, checkpoints, jwks, anchor, org } = values;
    if (!log || !checkpoints || !jwks) fail("--log, --checkpoints and --jwks are needed", HINT);
    return { log, checkpoints, jwks, anchor, org };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), HINT);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return fail(`${file} cannot be read`, HINT);
  }
}
