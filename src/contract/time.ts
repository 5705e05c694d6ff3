import * as z from "zod";

/** RFC 3339 UTC with milliseconds: how every time in a reply is written. */
export const timeSchema = z.iso.datetime({ precision: 3 }).meta({ description: "RFC 3339, UTC, milliseconds.", example: "2026-11-21T12:00:00.000Z" });

// What RFC 3339 can write: an offset may lead out of it.
const FIRST = Date.parse("0000-01-01T00:00:00.000Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");

/** A time in a request: RFC 3339 with any offset; kept to the millisecond. */
export const timeInputSchema = z.iso
  .datetime({ offset: true, error: "a time is RFC 3339, as in 2037-01-31T00:00:00Z" })
  .refine((text) => !(Date.parse(text) < FIRST || Date.parse(text) > LAST), { error: "a time is in the years 0 to 9999 in UTC" })
  .meta({ description: "RFC 3339.", example: "2037-01-31T00:00:00Z" });

/** Milliseconds since 1970 as replies show them; `null` stays `null`. */
export function formatTime(milliseconds: number): string;
export function formatTime(milliseconds: number | null): string | null;
export function formatTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
