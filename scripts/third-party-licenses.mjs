import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The licenses of all packages that a bundle has code of, as one text: they ask to be kept with the code.
 *
 * @param {string} root the project's folder.
 * @param {import("esbuild").Metafile} metafile of the bundle.
 */
export function thirdPartyLicenses(root, { inputs }) {
  const folders = new Set(Object.keys(inputs).flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  return [...folders]
    .sort()
    .map((folder) => licenseOf(join(root, folder)))
    .join("\n");
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file)) : [];
  if (files.length === 0) throw new Error(`${name} says nowhere under which license it is, so no code of it can go into the package`);
  const texts = files.sort().map((file) => readFileSync(join(folder, file), "utf8").trim());
  return `${"=".repeat(80)}\n${name} ${version} (${license})\n\n${texts.join("\n\n")}\n`;
}
