/** Rules of a service as lines: methods, separated by commas, and a path. */
export function parseAllow(lines: readonly string[]): { methods: string[]; paths: string[] }[] {
  return lines.map((line) => {
    const [methods = "", ...path] = line.trim().split(/\s+/);
    return { methods: methods.split("/").map((method) => method.toUpperCase()), paths: [path.join(" ")] };
  });
}
