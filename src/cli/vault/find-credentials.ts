import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import { homeFolder } from "../config-folder.ts";
import { parseToken } from "../parse-token.ts";

/** How a Vault is spoken to, from where its own command line takes it. Nothing of it is ever on our command line. */
export interface VaultCredentials {
  readonly token: string;
  readonly namespace: string | undefined;
  /** The certificate authorities that are trusted in place of the usual ones, in PEM. */
  readonly authorities: string | undefined;
}

/**
 * The credentials of a Vault or OpenBao: `VAULT_TOKEN` or `BAO_TOKEN`, or what `vault login` and `bao login` keep in
 * `~/.vault-token`; the namespace and the certificate authority by the variables of either.
 *
 * @throws {CliError} where there is no token, or two different ones.
 */
export function findCredentials(): VaultCredentials {
  const namespace = eitherOf("NAMESPACE");
  if (namespace !== undefined && !/^[\x21-\x7e]+$/.test(namespace)) throw usageError("VAULT_NAMESPACE is not a namespace", "for example team-a/dev");
  const file = eitherOf("CACERT");
  return { token: findToken(), namespace, authorities: file === undefined ? undefined : readFileSync(file, "utf8") };
}

function findToken(): string {
  const token = eitherOf("TOKEN") ?? readKept();
  if (token === undefined) throw usageError("there is no token for the Vault", "set VAULT_TOKEN (or BAO_TOKEN), or log in with `vault login`");
  return parseToken("what VAULT_TOKEN, BAO_TOKEN or ~/.vault-token holds", token);
}

/** What is set of the variables that Vault and OpenBao read. Two that differ are for two servers, and a token is sent to no other than its own. */
function eitherOf(name: string): string | undefined {
  const [vault, bao] = [process.env[`VAULT_${name}`] || undefined, process.env[`BAO_${name}`] || undefined];
  if (vault !== undefined && bao !== undefined && vault !== bao)
    throw usageError(`VAULT_${name} and BAO_${name} are both set, and differ`, "unset the one that is not for this address");
  return vault ?? bao;
}

function readKept(): string | undefined {
  const home = homeFolder();
  if (home === undefined) return undefined;
  try {
    return readFileSync(join(home, ".vault-token"), "utf8").trim() || undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CliError("~/.vault-token cannot be read", "set VAULT_TOKEN, or log in again with `vault login`");
  }
}
