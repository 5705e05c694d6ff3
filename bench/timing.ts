import { signToken } from "../scripts/sign-token.ts";
import { PERMISSIONS } from "../src/contract/permission.ts";
import type { Instance } from "./instance.ts";
import { fire, quantile, type Shot } from "./load.ts";
import type { Setup } from "./ratios.ts";
import { startSeeded } from "./seed.ts";

/** Whether two kinds of requests can be told apart by the time of their answers. */
export interface TimingRow {
  readonly name: string;
  /** Medians, in microseconds. */
  readonly a: number;
  readonly b: number;
  /** The two-sided p of a Mann–Whitney test (normal approximation): small means that they can be told apart. */
  readonly p: number;
  /** The probability that an answer of the one takes longer than one of the other; 0.5 is no difference. */
  readonly effect: number;
}

/** How many answers of each kind are compared. */
export const SAMPLES = 1_500;

/** Compares answers that must not tell by their time what their text does not say. */
export async function measureTiming(setup: Setup): Promise<TimingRow[]> {
  const { secrets, token } = setup;
  const keyhole = await startSeeded(setup, "keyhole");
  const identity = { subject: "bench", ttl: 86_400, issuer: "keyhole", audience: "keyhole" };
  const other = await signToken(secrets.SIGNING_KEY, { ...identity, org: "other", permissions: PERMISSIONS.join(" ") });
  const narrow = await signToken(secrets.SIGNING_KEY, { ...identity, org: "acme", permissions: PERMISSIONS.join(" "), names: ["NOTHING_*"] });
  const expired = await signToken(secrets.SIGNING_KEY, { ...identity, org: "acme", permissions: "", ttl: -10 });
  const elsewhere = await signToken(secrets.SIGNING_KEY, { ...identity, org: "acme", permissions: "", audience: "elsewhere" });
  const { secrets: listed } = JSON.parse((await fire(keyhole.url, get("/v1/secrets?limit=1", token, 200))).body) as { secrets: { id: string }[] };
  const unknown = `sec_${"0".repeat(32)}`;
  const rows = [
    await compare(
      keyhole,
      "id of another organization's secret / id of none (404)",
      get(`/v1/secrets/${listed[0]?.id}`, other, 404),
      get(`/v1/secrets/${unknown}`, other, 404),
    ),
    await compare(
      keyhole,
      "name that another organization has / that none has, in a resolve (404)",
      get("/v1/resolve/BENCH_000?scope=namespace:prod", other, 404),
      get("/v1/resolve/BENCH_XYZ?scope=namespace:prod", other, 404),
    ),
    await compare(
      keyhole,
      "name outside the grant that exists / that does not (403)",
      get("/v1/resolve/BENCH_000?scope=namespace:prod", narrow, 403),
      get("/v1/resolve/BENCH_XYZ?scope=namespace:prod", narrow, 403),
    ),
    await compare(
      keyhole,
      "signature wrong in its first / in its last byte but one (401)",
      get("/v1/whoami", spoil(token, 0), 401),
      get("/v1/whoami", spoil(token, -4), 401),
    ),
    await compare(keyhole, "expired, with a right / with a wrong signature (401)", get("/v1/whoami", expired, 401), get("/v1/whoami", spoil(expired, 0), 401)),
    await compare(
      keyhole,
      "for another audience, with a right / with a wrong signature (401)",
      get("/v1/whoami", elsewhere, 401),
      get("/v1/whoami", spoil(elsewhere, 0), 401),
    ),
    await compare(keyhole, "control: expired / with a wrong signature (401)", get("/v1/whoami", expired, 401), get("/v1/whoami", spoil(token, 0), 401)),
  ];
  await keyhole.stop();
  return rows;
}

function get(path: string, token: string, expect: number): Shot {
  return { method: "GET", path, headers: { Authorization: `Bearer ${token}` }, expect };
}

/** A token whose signature has another character at a place of it. */
function spoil(token: string, at: number): string {
  const [header, payload, signature = ""] = token.split(".");
  const place = at < 0 ? signature.length + at : at;
  const changed = signature[place] === "A" ? "B" : "A";
  return [header, payload, signature.slice(0, place) + changed + signature.slice(place + 1)].join(".");
}

/** A request from an address that has not made many: more than an isolate takes of one would be held up. */
function from(n: number, shot: Shot): Shot {
  return { ...shot, headers: { ...shot.headers, "CF-Connecting-IP": `192.0.2.${1 + (Math.floor(n / 100) % 250)}` } };
}

async function compare({ url }: Instance, name: string, first: Shot, second: Shot): Promise<TimingRow> {
  const times: [number[], number[]] = [[], []];
  // Which one goes first is drawn each time, so that neither profits from its place.
  for (let n = 0; n < SAMPLES + 100; n++) {
    const order = Math.random() < 0.5 ? [0, 1] : [1, 0];
    for (const which of order) {
      const before = performance.now();
      await fire(url, from(n, which === 0 ? first : second));
      if (n >= 100) times[which as 0 | 1].push((performance.now() - before) * 1000);
    }
  }
  return { name, a: quantile(times[0], 0.5), b: quantile(times[1], 0.5), ...mannWhitney(times[0], times[1]) };
}

/** The Mann–Whitney U test, normal approximation; both samples are large and ties are rare. */
function mannWhitney(a: readonly number[], b: readonly number[]): { p: number; effect: number } {
  const all = [...a.map((value) => ({ value, first: true })), ...b.map((value) => ({ value, first: false }))].sort((x, y) => x.value - y.value);
  const rankSum = all.reduce((sum, { first }, rank) => sum + (first ? rank + 1 : 0), 0);
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const z = (u - (a.length * b.length) / 2) / Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  return { p: 2 * (1 - normal(Math.abs(z))), effect: u / (a.length * b.length) };
}

/** The standard normal distribution function (Abramowitz and Stegun, 26.2.17; error below 7.5e-8). */
function normal(x: number): number {
  const t = 1 / (1 + 0.2316419 * x);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
}
