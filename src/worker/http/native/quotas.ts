import * as z from "zod";
import { orgSchema } from "../../../contract/org-name.ts";
import { quotasSchema, someQuotasSchema, usageSchema } from "../../../contract/quota.ts";
import { putQuotas, readQuotas } from "../../grants/put-quotas.ts";
import { readUsage } from "../../grants/read-usage.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";

const tag = "Quotas";
const path = "/v1/quotas/{org}";
const params = z.object({ org: orgSchema });

/** The routes of what an organization has, and may have. */
export const quotaRoutes = [
  operation(
    {
      method: "get",
      path: "/v1/usage",
      id: "getUsage",
      summary: "What your organization has, and may have",
      description: "Of the events of the last minute up to 10,000 are counted.",
      tag,
      permission: "secrets:read",
      action: "quota.read",
      replies: { 200: json(usageSchema, "What there is, beside its quota.") },
    },
    async ({ c, needs, caller }) => c.json(await readUsage(needs, caller)),
  ),
  operation(
    {
      method: "get",
      path,
      id: "getQuotas",
      summary: "What an organization may have",
      description: "For the operator's own organization only.",
      tag,
      permission: "keys:read",
      action: "quota.read",
      on: { target: "org" },
      params,
      replies: { 200: json(quotasSchema, "Its quotas.") },
    },
    async ({ c, needs, caller, params: { org } }) => c.json(await readQuotas(needs, caller, org)),
  ),
  operation(
    {
      method: "put",
      path,
      id: "putQuotas",
      summary: "Set what an organization may have",
      description:
        "For the operator's own organization only. The body is all that differs from what every organization may have (the var `QUOTAS`); `{}` takes it back. What an organization has by then stays: it can only add nothing.",
      tag,
      permission: "keys:write",
      action: "quota.put",
      on: { target: "org" },
      params,
      body: jsonBody(someQuotasSchema),
      replies: { 200: json(quotasSchema, "Its quotas.") },
    },
    async ({ c, needs, caller, params: { org }, body }) => c.json(await putQuotas(needs, caller, org, body)),
  ),
];
