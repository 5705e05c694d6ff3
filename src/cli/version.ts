declare const KEYHOLE_VERSION: string | undefined;

/** The version in package.json; the build puts it here. */
export const VERSION: string = typeof KEYHOLE_VERSION === "undefined" ? "0.0.0" : KEYHOLE_VERSION;
