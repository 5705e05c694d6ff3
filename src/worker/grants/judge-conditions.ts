import { namesOf } from "../../contract/claim-path.ts";
import type { PutTrustBody } from "../../contract/trust.ts";

/** What is wrong with the conditions of a trust. */
export interface Weakness {
  /** The condition, or `null` for all of them together. */
  readonly claim: string | null;
  readonly detail: string;
}

type Trusted = Pick<PutTrustBody, "issuer" | "claims">;
type Judged = string | undefined;

/** What a claim's values always are: why a pattern that is none of them can never match, if it cannot. */
type Form = (pattern: string) => Judged;

/** An issuer that signs for everybody who asks. */
interface PublicIssuer {
  readonly is: RegExp;
  /** The claims that say whose token it is. All others say what runs there, for whoever it is. */
  readonly who: readonly string[];
  readonly forms: Readonly<Record<string, Form>>;
}

const open = (pattern: string) => pattern.endsWith("*");
const prefixOf = (pattern: string) => pattern.replace(/\*$/, "");

const aPath: Form = (pattern) => (open(pattern) || pattern.includes("/") ? undefined : "is a path: write owner/name");
const noPath: Form = (pattern) => (pattern.includes("/") ? `is one name, without a '/': write ${pattern.split("/", 1)[0]}` : undefined);
const aNumber: Form = (pattern) => (/^[0-9]*\*?$/.test(pattern) ? undefined : "is a number");
const aRef: Form = (pattern) => {
  const prefix = prefixOf(pattern);
  const fits = prefix.startsWith("refs/") || (open(pattern) && "refs/".startsWith(prefix));
  return fits ? undefined : `begins with refs/: write refs/heads/${pattern}`;
};
const aBranch: Form = (pattern) => (pattern.startsWith("refs/") ? "is a branch or tag without refs/: write main, or use ref_path" : undefined);

/** GitHub Actions, also of one enterprise alone, and of GitHub Enterprise Server. */
export const GITHUB_ACTIONS = /^https:\/\/(?:token\.actions\.githubusercontent\.com(?:\/|$)|[^/]+\/_services\/token$)/;

const PUBLIC_ISSUERS: readonly PublicIssuer[] = [
  {
    is: GITHUB_ACTIONS,
    who: ["sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "workflow_ref", "enterprise", "enterprise_id"],
    forms: {
      ...{ repository: aPath, job_workflow_ref: aPath, workflow_ref: aPath, repository_owner: noPath, ref: aRef },
      ...{ repository_id: aNumber, repository_owner_id: aNumber, enterprise_id: aNumber },
    },
  },
  {
    is: /^https:\/\/gitlab\.com$/,
    who: ["sub", "namespace_id", "namespace_path", "project_id", "project_path", "user_id", "user_login", "user_email"],
    forms: { project_path: aPath, ci_config_ref_uri: aPath, ref: aBranch, namespace_id: aNumber, project_id: aNumber, user_id: aNumber },
  },
  { is: /^https:\/\/accounts\.google\.com$/, who: ["sub", "email", "hd"], forms: {} },
];

/** Claims that every token of the issuer and audience has alike. */
const SAME_FOR_ALL: ReadonlySet<string> = new Set(["iss", "aud"]);
/** Claims that another token never has again. */
const OF_ONE_TOKEN: ReadonlySet<string> = new Set(["iat", "exp", "nbf", "jti"]);
/** Claims whose first name is somebody's, under which others choose theirs. */
const OWNED = /^(?:repository|repository_owner|(?:job_)?workflow_ref|(?:job_)?(?:project|namespace)_path|ci_config_ref_uri|enterprise)$/;
/** What stands before the first name and is no name: the kind of what follows, the scheme of an address. */
const KIND = /^(?:system:serviceaccount:|[A-Za-z_]+:(?:\/\/)?)/;

/**
 * Judges whether the conditions of a trust say whose tokens it takes: that each can match at all, and that one of them at
 * least ties the token to somebody. A pattern does that when the first name in it is complete: `repo:acme/*`, and not
 * `repo:acme*`, which is also whatever `acme-…` somebody else registers.
 */
export function judgeConditions({ issuer, claims }: Trusted): Weakness | undefined {
  const known = PUBLIC_ISSUERS.find(({ is }) => is.test(issuer));
  let tied = false;
  const unfinished: string[] = [];
  for (const [claim, pattern] of Object.entries(claims)) {
    const name = topName(claim);
    const never = whyNever(claim, name, pattern, issuer, known);
    if (never !== undefined) return { claim, detail: `this can never match: ${name ?? claim} ${never}` };
    const advice = unfinishedOwner(name, pattern);
    if (advice && (OWNED.test(name ?? "") || (name === "sub" && KIND.test(pattern)))) return { claim, detail: advice };
    if (advice) unfinished.push(advice);
    const says = !SAME_FOR_ALL.has(namesOf(claim)[0] ?? "") && (known === undefined || known.who.includes(name ?? ""));
    tied ||= says && !advice && firstName(name, pattern) !== "";
  }
  if (tied) return undefined;
  const suggestions = known ? known.who.join(", ") : "sub, or another claim that only your own workloads have";
  return { claim: null, detail: ["nothing here says whose tokens these are", ...unfinished, `tie down one of ${suggestions}`].join("; ") };
}

/** The name of a claim at the top of the token, `undefined` for one that lies deeper. */
function topName(claim: string): string | undefined {
  const [name, ...deeper] = namesOf(claim);
  return deeper.length === 0 ? name : undefined;
}

function whyNever(claim: string, name: string | undefined, pattern: string, issuer: string, known: PublicIssuer | undefined): Judged {
  if (name === undefined) return undefined;
  if (name === "iss" && pattern !== issuer && !(open(pattern) && issuer.startsWith(prefixOf(pattern)))) return "is the issuer";
  if (OF_ONE_TOKEN.has(name)) return "is another one in each token: leave it out";
  const member = /^kubernetes\.io(?:$|[./](?!serviceaccount\/)(.*))/.exec(claim);
  if (member) return `is an object, or lies in one: write a JSON Pointer, such as /kubernetes.io/${member[1]?.replaceAll(".", "/") || "namespace"}`;
  return Object.hasOwn(known?.forms ?? {}, name) ? known?.forms[name]?.(pattern) : undefined;
}

/** What of a pattern, after its kind, comes before the `*`. */
function firstName(name: string | undefined, pattern: string): string {
  const named = prefixOf(pattern).replace(KIND, "");
  // Its first part is the host.
  return name === "ci_config_ref_uri" ? named.replace(/^[^/]*\/?/, "") : named;
}

/** What to write in place of a pattern that breaks off in the first name. */
function unfinishedOwner(name: string | undefined, pattern: string): Judged {
  const named = firstName(name, pattern);
  if (!open(pattern) || named === "" || /^[^/:@#]+[/:@#]/.test(named)) return undefined;
  const prefix = prefixOf(pattern);
  const instead = name === "repository_owner" || name === "enterprise" ? prefix : `${prefix}/*, or the whole name without '*'`;
  return `${pattern} breaks off in the middle of a name and also lets in ${prefix}-something, which may be anybody's: write ${instead}`;
}
