const HEADER = "Keyhole-Hop";

/** Marks a request that Keyhole makes. */
export function markHop(headers: Headers): void {
  headers.set(HEADER, "1");
}

/** Whether a request was made by a Keyhole, this one or another: it would go round in circles. */
export function hasHopped(headers: Headers): boolean {
  return headers.has(HEADER);
}
