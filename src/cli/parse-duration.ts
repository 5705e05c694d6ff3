import { usageError } from "./cli-error.ts";

const DAY = 86_400;
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: DAY, w: 7 * DAY, "": 1 };

/** Seconds in `90`, `15m`, `24h`, `30d` or `2w`; up to a hundred years, with which a time can still be told, unless less is to be the most. */
export function parseDuration(option: string, text: string, most = 36_525 * DAY): number {
  const [, amount, unit = ""] = /^(\d{1,9})([smhdw]?)$/.exec(text) ?? [];
  const seconds = Number(amount) * (SECONDS[unit] ?? Number.NaN);
  if (!Number.isSafeInteger(seconds)) throw usageError(`${option} is not a duration`, `for example ${option} 90, 15m, 24h or 30d`);
  if (seconds > most) throw usageError(`${option} is too long`, `at most ${most / DAY}d`);
  return seconds;
}

/** A time in RFC 3339: as it is given, as a date, or as a duration from `now` on (`30d`). */
export function parseTime(option: string, text: string, { now = Date.now(), sign = 1 } = {}): string {
  if (/^\d{1,9}[smhdw]$/.test(text)) return new Date(now + sign * parseDuration(option, text) * 1000).toISOString();
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at) || !isDay(text.slice(0, 10)))
    throw usageError(`${option} is not a time`, `for example ${option} 2037-01-31, 2037-01-31T12:00:00Z or 30d`);
  return new Date(at).toISOString();
}

/** Whether the calendar has this day: February 30 would be taken for a day in March. */
function isDay(date: string): boolean {
  const at = Date.parse(date);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(date);
}
