import type { AllowRule } from "../contract/allow-rule.ts";

/** Rules of a service as lines: methods, separated by commas, and a path. */
export function parseAllow(lines: readonly string[]): { methods: string[]; paths: string[] }[] {
  return lines.map((line) => {
    const [methods = "", ...path] = line.trim().split(/\s+/);
    return { methods: methods.split("/").map((method) => method.toUpperCase()), paths: [path.join(" ")] };
  });
}

/** The same the other way round; `undefined` where a rule asks for more than lines say. */
export function allowLines(rules: readonly AllowRule[]): string | undefined {
  if (rules.some(({ query, targets }) => query || targets)) return undefined;
  return rules.flatMap(({ methods, paths }) => paths.map((path) => `${methods.join("/")} ${path}`)).join("\n");
}
