import { isDeepStrictEqual } from "node:util";
import { type Role, STEPS, type Step } from "./steps.ts";
import type { Operation, Outcome, VaultClient } from "./vault-client.ts";

/** A server that speaks Vault's wire, with the two roles of the steps. */
export interface VaultServer {
  readonly kind: "keyhole" | "openbao";
  readonly url: string;
  /** What a login with a JWT calls the role. */
  readonly roles: Readonly<Record<Role, string>>;
  /** An identity token that the server takes for both. */
  jwt(): Promise<string>;
  close(): Promise<void>;
}

/** Has a client do all steps; returns what came out otherwise than it should. */
export async function runSteps(name: string, client: VaultClient, server: VaultServer): Promise<string[]> {
  const differences: string[] = [];
  const steps = STEPS.filter(({ without = [] }) => !without.includes(name));
  for (const [n, step] of steps.entries()) {
    const came = await client.perform(await operationOf(step, name, server));
    const expected = (server.kind === "openbao" && step.fromOpenBao) || step.expected;
    if (!matches(came, expected)) differences.push(`${n} ${JSON.stringify(step.operation)}: ${JSON.stringify(came)} instead of ${JSON.stringify(expected)}`);
  }
  await client.close();
  return differences;
}

async function operationOf({ operation }: Step, folder: string, { roles, jwt }: VaultServer): Promise<Operation> {
  if (operation.op === "login") return { op: "login", role: roles[operation.role], jwt: await jwt() };
  if (!("path" in operation)) return operation;
  const { path } = operation;
  return { ...operation, path: path.startsWith("/") ? path.slice(1) : `shop/${folder}/${path}` };
}

/** Of a refusal the status counts, whether it tells of a deletion, and the errors where some are named: texts that contain them. */
function matches(came: Outcome, expected: Outcome): boolean {
  if (expected.status === undefined) return isDeepStrictEqual(came, expected);
  const [said, wanted] = [came, expected].map(({ errors = [] }) => errors as string[]);
  return came.status === expected.status && came.deleted === expected.deleted && (wanted ?? []).every((error) => said?.some((one) => one.includes(error)));
}
