import { INITIAL_METADATA, metadataFromColumns } from "../../../../src/contract/secret-metadata.ts";

const TIME = "2026-11-21T12:00:00.000Z";

/** What the service replies to a PUT of `API_KEY`. */
export const SECRET_REPLY = {
  ...{ id: "sec_1", name: "API_KEY", scope: "global", version: 1, encoding: "utf8" },
  ...metadataFromColumns(INITIAL_METADATA),
  ...{ created_at: TIME, created_by: "ada", updated_at: TIME, updated_by: "ada" },
  ...{ rotation_due: false, last_resolved_at: null, changed: true },
};
