import * as z from "zod";
import { whole } from "./grammar.ts";

/** The name of a store. */
export const storeNameSchema = z
  .string()
  .regex(whole("[a-z0-9][a-z0-9-]{0,62}"), { error: "a store's name is up to 63 small letters, digits or '-' and starts with a letter or digit" })
  .meta({ description: "The name of a store.", example: "aws-prod" });
