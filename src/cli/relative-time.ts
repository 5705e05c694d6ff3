const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;

const format = new Intl.RelativeTimeFormat("en");

/** A time as people say it: `2 days ago`, `in 3 months`, `just now`; `never` for `null`. */
export function relativeTime(time: string | null, now: number = Date.now()): string {
  if (time === null) return "never";
  const seconds = (Date.parse(time) - now) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  return unit === undefined ? (seconds > 1 ? "in a moment" : "just now") : format.format(Math.trunc(seconds / length), unit);
}
