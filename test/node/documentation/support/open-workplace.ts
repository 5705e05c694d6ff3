import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parse } from "smol-toml";
import { startExampleVault } from "../../cli/support/fake-vault.ts";
import { copyProject } from "./copy-project.ts";
import { type Deployment, openDeployment } from "./open-deployment.ts";
import { openSession, type Session } from "./open-session.ts";
import { standInNpm, standInNpx } from "./stand-in-npm.ts";
import { standInWrangler } from "./stand-in-wrangler.ts";
import { startStandIns } from "./start-stand-ins.ts";

/** What a reader sits at: a clone of this project, an empty home, a shell in the clone, and a Cloudflare account. */
export interface Workplace {
  readonly project: string;
  readonly session: Session;
  /** What `npm start` serves. */
  readonly local: Deployment;
  /** What wrangler deploys. */
  readonly deployed: Deployment;
  /** A Vault that somebody moves from. */
  readonly vault: { readonly url: string };
  /** Calls of tools that their stand-ins do not know. */
  readonly unknown: string[];
  /** How often `npm test` was asked for. */
  readonly testsAsked: () => number;
  close(): Promise<void>;
}

/** Opens a workplace of its own for a document. */
export async function openWorkplace(): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-documentation-"));
  const [project = "", home = "", bin = "", data = "", cloud = "", shell = ""] = ["keyhole", "home", "bin", "data", "cloud", "shell"].map((name) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  });
  copyProject(project);
  const vars = () => (parse(readFileSync(join(project, "wrangler.toml"), "utf8")) as { vars: Record<string, string> }).vars;
  const [local, deployed, vault] = await Promise.all([openDeployment(data), openDeployment(cloud), startExampleVault()]);
  const wrangler = standInWrangler({ deployment: deployed, vars });
  let asked = 0;
  const npm = standInNpm({ project, bin, local, data, vars, wrangler, onTest: () => void asked++ });
  const standIns = await startStandIns(bin, { npm, npx: standInNpx({ wrangler }) });
  const env = {
    HOME: home,
    KEYHOLE_LOCAL_STORE: "file",
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    TMPDIR: tmpdir(),
    npm_config_update_notifier: "false",
    ...standIns.env,
  };
  const session = openSession(shell, { cwd: project, env });
  const close = async () => {
    await session.close();
    await Promise.all([local.close(), deployed.close(), vault.stop(), standIns.close()]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return { project, session, local, deployed, vault, unknown: standIns.unknown, testsAsked: () => asked, close };
}
