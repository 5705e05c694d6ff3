import { parseArgs } from "node:util";
import { leaseSecondsSchema, patternsSchema } from "../src/contract/claims.ts";
import { orgSchema } from "../src/contract/org-name.ts";
import { PERMISSIONS, permissionInputSchema } from "../src/contract/permission.ts";
import { fail, readSecret, readVars } from "./settings.ts";
import { signToken } from "./sign-token.ts";

const HELP = `Prints one access token, signed with SIGNING_KEY from the environment or .dev.vars.

  npm run -s token -- [options]

  --org NAME            the organization                       [acme]
  --permissions "A B"   what the token may do                  [all of them]
  --scopes "A,B*"       only these scopes; a trailing * matches any rest
  --names "A,B*"        only these names; a trailing * matches any rest
  --services "A,B*"     only these services; a trailing * matches any rest
  --ttl SECONDS         how long it is valid                   [3600]
  --lease-seconds N     the lease of a resolve that says nothing of leases [0]
  --sub NAME            whom the audit log names               [developer]

permissions: ${PERMISSIONS.join(" ")}
`;

const options = {
  org: { type: "string", default: "acme" },
  permissions: { type: "string", default: PERMISSIONS.join(" ") },
  scopes: { type: "string" },
  names: { type: "string" },
  services: { type: "string" },
  ttl: { type: "string", default: "3600" },
  "lease-seconds": { type: "string", default: "0" },
  sub: { type: "string", default: "developer" },
  help: { type: "boolean", short: "h", default: false },
} as const;

const values = readArguments();
if (values.help) {
  console.log(HELP);
} else {
  const signingKey = readSecret("SIGNING_KEY");
  if (!signingKey) fail("there is no SIGNING_KEY in the environment or in .dev.vars", "npm start makes .dev.vars, or set SIGNING_KEY");
  const { ISSUER = "keyhole", AUDIENCE = "keyhole" } = readVars();
  const permissions = words(values.permissions, /\s+/);
  for (const word of permissions) if (!permissionInputSchema.safeParse(word).success) fail(`${word} is not a permission`, `one of: ${PERMISSIONS.join(" ")}`);
  if (!orgSchema.safeParse(values.org).success) fail(`${values.org} is not the name of an organization`, "letters, digits, '.', '_' and '-'");
  if (!/^[1-9]\d{0,8}$/.test(values.ttl)) fail(`${values.ttl} is not a number of seconds`, "for example --ttl 3600");
  const leaseSeconds = Number(values["lease-seconds"] || "none");
  if (!leaseSecondsSchema.safeParse(leaseSeconds).success) fail("--lease-seconds is not a number of seconds up to 300", "for example --lease-seconds 60");
  if (values.sub === "" || values.sub.length > 256) fail("--sub is 1 to 256 characters", "for example --sub ci");
  console.log(
    await signToken(signingKey, {
      org: values.org,
      subject: values.sub,
      permissions: permissions.join(" "),
      scopes: patterns("--scopes", values.scopes),
      names: patterns("--names", values.names),
      services: patterns("--services", values.services),
      ttl: Number(values.ttl),
      leaseSeconds,
      issuer: ISSUER,
      audience: AUDIENCE,
    }),
  );
}

function readArguments() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), "npm run -s token -- --help");
  }
}

function words(text: string, separator: RegExp): string[] {
  return text.split(separator).filter((word) => word !== "");
}

function patterns(option: string, text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const list = words(text, /\s*,\s*/);
  if (!patternsSchema.safeParse(list).success) fail(`${option} is not a list of patterns`, 'for example "global,agent:*"');
  return list;
}
