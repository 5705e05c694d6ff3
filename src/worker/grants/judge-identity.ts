import * as z from "zod";
import { readClaim } from "../../contract/claim-path.ts";
import { matchesCondition } from "../../contract/match-condition.ts";
import type { Pattern } from "../../contract/pattern.ts";
import type { Grant } from "../access/caller.ts";
import { fillTemplate } from "../access/fill-template.ts";
import type { TrustRow } from "../store/trust-rows.ts";
import { ExchangeError } from "./exchange-error.ts";
import { fromColumns } from "./grant-columns.ts";

/** What a trust says of a verified identity token. */
export interface Judgement {
  readonly conditions: readonly { readonly claim: string; readonly pattern: string; readonly matched: boolean }[];
  /** What its templates become; a scope of `null` is one that the claims do not fill. The list is `null` for no limit. */
  readonly scopes: readonly { readonly template: string; readonly scope: Pattern | null }[] | null;
  /** What the token is exchanged for; why it is not, for one that does not fulfil the trust. */
  readonly outcome: Grant | ExchangeError;
}

const patternsSchema = z.record(z.string(), z.string());

/** Judges the claims of a verified identity token by a trust. */
export function judgeIdentity(trust: TrustRow, claims: Readonly<Record<string, unknown>>): Judgement {
  const conditions = Object.entries(patternsSchema.parse(JSON.parse(trust.claims))).map(([claim, pattern]) => ({
    claim,
    pattern,
    matched: matchesCondition(pattern, readClaim(claims, claim)),
  }));
  const grant = fromColumns(trust);
  const scopes = grant.secretScopes?.map((template) => ({ template, scope: fillTemplate(template, claims) ?? null })) ?? null;
  return { conditions, scopes, outcome: outcomeOf(grant, conditions, scopes) };
}

function outcomeOf(grant: Grant, conditions: Judgement["conditions"], scopes: Judgement["scopes"]): Judgement["outcome"] {
  const unmatched = conditions.find(({ matched }) => !matched);
  if (unmatched) return new ExchangeError("claim-not-matched", { about: unmatched.claim });
  const unfilled = scopes?.find(({ scope }) => scope === null);
  if (unfilled) return new ExchangeError("template-not-filled", { about: unfilled.template });
  return { ...grant, secretScopes: scopes?.flatMap(({ scope }) => scope ?? []) ?? null };
}
