import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { exampleOf } from "../example-file.ts";
import { print, printJson } from "../output.ts";
import { findProject, PROJECT_FILE } from "../project-file.ts";

/** `keyhole example`. */
export const example = command({
  description: "Print a .env.example: the names that keyhole.json lists, without values",
  examples: ["keyhole example > .env.example"],
  common: ["json"],
  run({ json }) {
    const project = findProject();
    if (project === undefined) throw usageError(`there is no ${PROJECT_FILE}`, "`keyhole init` writes one");
    const { required = [], optional = [] } = project;
    if (json) printJson({ required, optional });
    else print(exampleOf(required, optional));
  },
});
