/** The header of a reply that says until when what was deleted can come back: a String (RFC 9651) with a time. */
export const DELETED_UNTIL_HEADER = "Keyhole-Deleted-Until";
