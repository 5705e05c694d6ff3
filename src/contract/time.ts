import { z } from "zod";

/** RFC 3339 UTC with milliseconds: how every time in a reply is written. */
export const timeSchema = z.iso.datetime({ precision: 3 }).meta({ description: "RFC 3339, UTC, milliseconds.", example: "2026-11-21T12:00:00.000Z" });

/** A time in a request: RFC 3339 with any offset; kept to the millisecond. */
export const timeInputSchema = z.iso
  .datetime({ offset: true, error: "a time is RFC 3339, as in 2027-01-31T00:00:00Z" })
  .meta({ description: "RFC 3339.", example: "2027-01-31T00:00:00Z" });

/** Milliseconds since 1970 as replies show them; `null` stays `null`. */
export function formatTime(milliseconds: number): string;
export function formatTime(milliseconds: number | null): string | null;
export function formatTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
