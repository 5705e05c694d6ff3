import type { Arguments } from "./define-command.ts";

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

/** The option that says how times are printed. */
export const TIME_ARG = {
  time: { type: "enum", options: ["relative", "iso"], description: "how times are printed: as people say them, or as 2026-11-21T12:00:00.000Z" },
} as const satisfies Arguments;

/** How a command prints times. `null` is never. */
export function showTime(form: "relative" | "iso" | undefined): (time: string | null) => string {
  return form === "iso" ? (time) => time ?? "never" : (time) => relativeTime(time);
}
