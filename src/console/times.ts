const relative = new Intl.RelativeTimeFormat("en", { style: "short" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;

/** A time as people say it: `2 days ago`, `in 3 mo.`, `just now`. */
export function relativeTime(time: string, now: number = Date.now()): string {
  const seconds = (Date.parse(time) - now) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  return unit === undefined ? (seconds > 1 ? "in a moment" : "just now") : relative.format(Math.trunc(seconds / length), unit);
}

/** A time to the second, in UTC. */
export function exactTime(time: string): string {
  return `${exact.format(Date.parse(time))} UTC`;
}
