import { Problem } from "../../../contract/problem.ts";
import { vaultVersionsSchema } from "../../../contract/vault.ts";
import { deleteObjectVersions } from "../../objects/delete-object-versions.ts";
import { deleteSecret } from "../../secrets/delete-secret.ts";
import { unlessGone } from "./unless-gone.ts";
import { vaultDone } from "./vault-answer.ts";
import { pathParameter, vaultOperation } from "./vault-operation.ts";
import { scopeAt, targetAt } from "./vault-scope.ts";

const description =
  "Where the current one is among them, as DELETE of its data does. An older one is not read in any case: of these nothing changes, and `destroy` makes an end of their values.";
const replies = { 204: { description: "None of them can be read." } };

/** The routes that delete versions so that they can come back. */
export const deleteVersionsRoutes = [
  vaultOperation(
    {
      method: "post",
      path: "/v1/secret/delete/{path}",
      id: "vaultDeleteObjectVersions",
      summary: "Delete versions of a scope",
      description,
      tag: "A scope as one object",
      permission: "secrets:write",
      action: "secret.delete",
      writes: true,
      params: pathParameter("A scope.", "acme/payments"),
      body: vaultVersionsSchema,
      problems: ["write-conflict", "too-many-secrets"],
      replies,
    },
    async ({ c, needs, caller, path, body: { versions } }) => {
      await deleteObjectVersions(needs, caller, scopeAt(path), versions);
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/kv/delete/{path}",
      id: "vaultDeleteSecretVersions",
      summary: "Delete versions of a secret",
      description,
      tag: "One secret",
      permission: "secrets:write",
      action: "secret.delete",
      writes: true,
      params: pathParameter("A scope and a name, or a name.", "acme/payments/OPENAI_API_KEY"),
      body: vaultVersionsSchema,
      problems: ["write-conflict"],
      replies,
    },
    async ({ c, needs, caller, path, body: { versions } }) => {
      const required = versions.map((version) => ({ version }));
      await unlessGone(unlessOlder(deleteSecret(needs, caller, targetAt(caller, path), { required })));
      return vaultDone(c);
    },
  ),
];

/** Where none of the versions is the current one, there is none that could be read. */
async function unlessOlder(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof Problem && error.code === "version-conflict")) throw error;
  }
}
