import type { RestorationsReply } from "../../client/create-client.ts";
import { CliError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { openSession } from "../session.ts";
import { adminBackup } from "./admin-backup.ts";
import { adminDoctor } from "./admin-doctor.ts";
import { adminKeys } from "./admin-keys.ts";
import { adminQuota } from "./admin-quota.ts";
import { adminReconcile } from "./admin-reconcile.ts";
import { adminRestore } from "./admin-restore.ts";
import { adminSeal } from "./admin-seal.ts";

const restored = command({
  description: "Accept that a restore of the database has set audit logs back; shows what would be accepted, and asks",
  examples: ["keyhole admin log restored", "keyhole admin log restored --org acme"],
  args: {
    org: { type: "string", valueHint: "NAME", description: "also an organization of which nothing at all is left" },
    digest: { type: "string", valueHint: "DIGEST", description: "accept only what has this digest, as shown before" },
    yes: { type: "boolean", alias: "y", description: "do not ask" },
  },
  async run({ profile, insecure, json, org, digest, yes }) {
    const { client } = await openSession({ profile, insecure });
    const named = org === undefined ? {} : { org };
    const found = await client.audit.restorations(named);
    if (!json) show(found);
    const open = found.restorations.filter(({ acceptable }) => acceptable);
    if (open.length === 0) return json ? printJson({ ...found, accepted: [] }) : note("There is nothing to accept.");
    if (digest !== undefined && digest !== found.digest)
      throw new CliError("these are not the restores that the digest stands for", "look at them again: keyhole admin log restored", EXIT.failed);
    await askToConfirm(`Accept that ${open.length} audit ${open.length === 1 ? "log has" : "logs have"} lost these events?`, yes);
    const { accepted } = await client.audit.acceptRestorations({ digest: found.digest, ...named });
    if (json) printJson({ ...found, accepted });
    else note(`Accepted. These logs go on: ${accepted.join(", ")}.`);
  },
});

function show({ restorations, unnamed, digest }: RestorationsReply): void {
  const rows = restorations.map(({ org, after, lost, lost_revocations, generation, acceptable }) => [
    org,
    String(after),
    `${lost.first_seq} to ${lost.last_seq}`,
    lost_revocations ? `${lost_revocations.first} to ${lost_revocations.last}` : "none",
    String(generation),
    acceptable ? "" : "what is left was changed: cannot be accepted",
  ]);
  printTable(["ORGANIZATION", "LEFT UP TO", "LOST", "REVOCATIONS LOST", "GENERATION", ""], rows, "No log has been set back.");
  if (restorations.some(({ lost_revocations }) => lost_revocations !== null))
    note("Where revocations are lost, accepting ends every token that the organization has so far, yours too: mint new ones afterwards.");
  if (unnamed > 0) note(`Of ${unnamed} more nothing at all is left: name the organization with --org.`);
  if (restorations.length > 0) note(`Digest: ${digest}`);
}

const log = command({
  description: "The audit logs of the deployment, for its operator",
  examples: ["keyhole admin log restored"],
  subCommands: { restored },
});

/** `keyhole admin`. */
export const admin = command({
  description: "What the operator of a deployment does",
  examples: ["keyhole admin log restored"],
  subCommands: {
    backup: adminBackup,
    doctor: adminDoctor,
    keys: adminKeys,
    log,
    quota: adminQuota,
    reconcile: adminReconcile,
    restore: adminRestore,
    seal: adminSeal,
  },
});
