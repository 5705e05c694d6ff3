import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ACTIONS, OUTCOMES } from "../../src/contract/actions.ts";
import { METRICS } from "../../src/contract/metrics.ts";
import { PERMISSIONS } from "../../src/contract/permissions.ts";

const read = (name: string) => readFileSync(join(import.meta.dirname, "../../examples/monitoring", name), "utf8");
const FILES = ["rules.yml", "grafana-dashboard.json"];

/** A family by the name that Prometheus has of its samples. */
const BY_SAMPLE = new Map(Object.entries(METRICS).map(([name, family]) => [family.type === "counter" ? `${name}_total` : name, family]));
/** What a scrape adds. */
const OF_SCRAPES = ["instance", "job"];

describe.each(FILES)("examples/monitoring/%s", (file) => {
  const text = read(file).replaceAll('\\"', '"');
  const uses = [...text.matchAll(/\b(keyhole_[a-z_]+)(?:\{([^}]*)\})?/g)].map(([, name = "", matchers = ""]) => ({ name, matchers }));

  it("names metrics that there are, and no other", () => {
    expect(uses.length).toBeGreaterThan(10);
    expect(uses.filter(({ name }) => !BY_SAMPLE.has(name))).toEqual([]);
  });

  it("asks for labels that these have, and for actions and outcomes that there are", () => {
    const asked = uses.flatMap(({ name, matchers }) =>
      [...matchers.matchAll(/(\w+)(=~|=)"([^"]*)"/g)].map(([, label = "", operator = "", value = ""]) => ({ name, label, operator, value })),
    );
    expect(asked.filter(({ name, label }) => ![...(BY_SAMPLE.get(name)?.labels ?? []), ...OF_SCRAPES].includes(label))).toEqual([]);
    const known: Readonly<Record<string, readonly string[]>> = { action: ACTIONS, outcome: OUTCOMES };
    for (const { label, operator, value } of asked) {
      const list = known[label];
      if (list)
        expect(
          list.filter((one) => (operator === "=" ? one === value : new RegExp(`^(?:${value})$`).test(one))),
          value,
        ).not.toEqual([]);
    }
  });
});

it("the dashboard and the rules together show every metric that there is", () => {
  const all = FILES.map(read).join("\n");
  expect([...BY_SAMPLE.keys()].filter((name) => !all.includes(name))).toEqual([]);
});

it("the scrape asks the path that there is, with a permission that there is", () => {
  const [scrape] = parse(read("prometheus.yml")).scrape_configs;
  expect(scrape).toMatchObject({ scheme: "https", metrics_path: "/metrics", authorization: { type: "Bearer" } });
  const [, permission] = /--permissions (\S+)/.exec(read("prometheus.yml")) ?? [];
  expect(PERMISSIONS).toContain(permission);
  expect(
    parse(read("rules.yml")).groups[0].rules.every(({ alert, expr }: { alert: string; expr: string }) => alert.startsWith("Keyhole") && expr.length > 0),
  ).toBe(true);
  expect(JSON.parse(read("grafana-dashboard.json"))).toMatchObject({ title: "Keyhole", panels: expect.any(Array) });
});
