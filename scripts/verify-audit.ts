import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet } from "jose";
import { z } from "zod";
import { type AuditEvent, auditEventSchema, type Checkpoint, checkpointSchema, retentionPayloadSchema } from "../src/contract/audit.ts";
import { firstBadEvent, isLinked } from "../src/contract/check-stretch.ts";
import { fail } from "./settings.ts";

const HELP = `Verifies an exported audit log against its checkpoints, without the deployment that it comes from.

  npm run -s verify-audit -- --log FILE --checkpoints FILE --jwks FILE [--org NAME]

  --log FILE          GET /v1/audit?format=ndjson
  --checkpoints FILE  GET /v1/audit/checkpoints; of several pages, one after the other
  --jwks FILE         GET /.well-known/jwks.json
  --org NAME          the organization                       [that of the first event]

It prints {"ok", "checked", "unsealed", "first_bad"} and exits with 0 if the log is as it was sealed, with 1 if not.
`;

const pageSchema = z.object({ checkpoints: z.array(checkpointSchema), retention: z.string().nullable() });

interface Finding {
  readonly checked: number;
  readonly firstBad: number | null;
}

const files = readArguments();
const events = readText(files.log)
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => auditEventSchema.parse(JSON.parse(line)))
  .sort((a, b) => a.seq - b.seq);
const pages = readPages(readText(files.checkpoints));
const keys = createLocalJWKSet(JSON.parse(readText(files.jwks)) as JSONWebKeySet);
const org = files.org ?? events[0]?.org ?? "";
const checkpoints = pages.flatMap((page) => page.checkpoints).sort((a, b) => a.number - b.number);
const { checked, firstBad } = await check(checkpoints, await removedByRetention());
const unsealed = events.filter(({ seq }) => seq > (checkpoints.at(-1)?.last_seq ?? 0)).length;
console.log(JSON.stringify({ ok: firstBad === null, checked, unsealed, first_bad: firstBad }));
process.exitCode = firstBad === null ? 0 : 1;

async function check(chain: readonly Checkpoint[], removedTo: number): Promise<Finding> {
  let previous: Checkpoint | null = null;
  let checked = 0;
  let vouched = true;
  for (const checkpoint of chain) {
    const statement = await readStatement(checkpoint.jws, "keyhole-checkpoint");
    if (!(await isLinked({ org, checkpoint, previous, payload: statement?.payload }))) return { checked, firstBad: (previous?.last_seq ?? 0) + 1 };
    const sealed: AuditEvent[] = events.filter(({ seq }) => seq >= checkpoint.first_seq && seq <= checkpoint.last_seq);
    if (checkpoint.last_seq > removedTo) {
      const bad = await firstBadEvent(checkpoint, sealed);
      if (bad !== null) return { checked, firstBad: bad };
      checked += sealed.length;
    }
    vouched = statement?.vouched ?? false;
    previous = checkpoint;
  }
  // A chain whose last checkpoint nobody vouches for could be of anybody's making.
  return { checked, firstBad: vouched ? null : (previous?.first_seq ?? null) };
}

async function removedByRetention(): Promise<number> {
  const jws = pages.find(({ retention }) => retention !== null)?.retention;
  const statement = jws ? await readStatement(jws, "keyhole-retention") : undefined;
  const { data } = retentionPayloadSchema.safeParse(statement?.payload);
  return data && statement?.vouched && data.org === org ? data.removed_to : 0;
}

/** The payload of a statement; one by a key that is not in the set is vouched for only by a later one that names its hash. */
async function readStatement(jws: string, typ: string): Promise<{ payload: unknown; vouched: boolean } | undefined> {
  try {
    if (decodeProtectedHeader(jws).typ !== typ) return undefined;
    const { payload } = await compactVerify(jws, keys, { algorithms: ["EdDSA"] });
    return { payload: JSON.parse(new TextDecoder().decode(payload)), vouched: true };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return { payload: JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString()), vouched: false };
    return undefined;
  }
}

/** Pages of checkpoints, one JSON document after the other. */
function readPages(text: string): z.infer<typeof pageSchema>[] {
  const documents = text.trim().split(/(?<=\})\s*(?=\{"checkpoints")/);
  return documents.map((document) => pageSchema.parse(JSON.parse(document)));
}

function readArguments(): { log: string; checkpoints: string; jwks: string; org: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        log: { type: "string" },
        checkpoints: { type: "string" },
        jwks: { type: "string" },
        org: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const { log, checkpoints, jwks, org } = values;
    if (!log || !checkpoints || !jwks) fail("--log, --checkpoints and --jwks are needed", "npm run -s verify-audit -- --help");
    return { log, checkpoints, jwks, org };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), "npm run -s verify-audit -- --help");
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return fail(`${file} cannot be read`, "npm run -s verify-audit -- --help");
  }
}
