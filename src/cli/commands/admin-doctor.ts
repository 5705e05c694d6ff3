import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { examineDeployment } from "../doctor/examine-deployment.ts";
import type { Finding } from "../doctor/finding.ts";
import { EXIT } from "../exit-code.ts";
import { clean, note, printJson, printLine } from "../output.ts";
import { proxiedFetch } from "../proxied-fetch.ts";
import { openSession, openSessionAt } from "../session.ts";
import { VERSION } from "../version.ts";

/** `keyhole admin doctor`. */
export const adminDoctor = command({
  description: "Look at a deployment, as after each `npm run deploy`: what is not well, and what to do about it; changes nothing",
  examples: ["keyhole admin doctor https://keyhole.example", "keyhole admin doctor --profile staging --json"],
  args: { url: { type: "positional", required: false, description: "the address [that of the profile, or KEYHOLE_URL]" } },
  async run({ url: given, profile, insecure, json }) {
    if (given !== undefined && !/^https?:\/\//.test(given)) throw usageError("the address is not an http or https URL", "for example https://keyhole.example");
    const session = given === undefined ? await openSession({ profile, insecure }) : await openSessionAt(given, { profile, insecure });
    const url = given ?? session?.url ?? "";
    const findings = await examineDeployment({ url, fetch: proxiedFetch, version: VERSION, session });
    const failed = findings.filter(({ verdict }) => verdict === "failed").length;
    if (json) printJson({ url, ok: failed === 0, findings });
    else show(findings, failed);
    return failed > 0 ? EXIT.failed : EXIT.ok;
  },
});

function show(findings: readonly Finding[], failed: number): void {
  for (const finding of findings) {
    printLine(clean(`${finding.verdict.padEnd(7)}  ${finding.check}: ${finding.says}`));
    if (finding.verdict !== "ok") printLine(clean(`         ${finding.hint}`));
  }
  note(failed > 0 ? `${failed} ${failed === 1 ? "thing is" : "things are"} broken.` : "Nothing is broken.");
}
