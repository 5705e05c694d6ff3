import { command } from "../define-command.ts";
import { adminKeys } from "./admin-keys.ts";

/** `keyhole admin`. */
export const admin = command({
  description: "What the operator of a deployment does",
  subCommands: { keys: adminKeys },
});
