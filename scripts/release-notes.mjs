// What CHANGELOG.md says of a version: node scripts/release-notes.mjs v0.1.0
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const version = (process.argv[2] ?? "").replace(/^v/, "");
const changelog = readFileSync(fileURLToPath(new URL("../CHANGELOG.md", import.meta.url)), "utf8");
const [, notes] =
  changelog
    .split(/^## /m)
    .map((part) => part.split(/\n([\s\S]*)/))
    .find(([heading]) => heading?.trim() === version) ?? [];
if (notes === undefined) {
  console.error(`CHANGELOG.md has no section ${version}\nhint: npm run next-version makes it of the changesets that wait`);
  process.exit(1);
}
console.log(notes.trim());
