import { expect, it } from "vitest";
import { openPlace } from "../leases/place.ts";
import { put } from "../support/call.ts";
import { sign } from "../support/sign.ts";

const PATHS = ["GET /v1/secret/data/app", "GET /v1/kv/data/app/KEY", "GET /v1/env/data/app", "GET /v1/acme-lease/env/data/app"];
const ORG = "acme-lease";

it.each(PATHS)("%s is given again under the event of the first answer, and not by what differs", async (request) => {
  await put("repo:app", "KEY", "value", { token: { org: ORG } });
  const token = await sign({ org: ORG, lease_seconds: 60, jti: `tok_${request.length}` });
  const place = openPlace();
  const ask = (headers: Record<string, string> = {}) => place.call(request, { token: null, headers: { "X-Vault-Token": token, ...headers } });
  const first = await ask();
  expect([first.status, first.headers.get("Age"), first.body.lease_duration]).toEqual([200, "0", 0]);
  const asked = { ...place.asked };
  const again = await ask();
  expect(again.headers.get("Age")).not.toBeNull();
  expect(again.body.request_id).not.toBe(first.body.request_id);
  expect(again.body.data).toEqual(first.body.data);
  expect(place.asked).toEqual(asked);
  // Each of these is answered strictly, as it would be without a lease.
  expect((await ask({ "X-Vault-Namespace": "other" })).status).toBe(403);
  expect((await ask({ "X-Vault-Wrap-TTL": "60" })).status).toBe(400);
  expect((await ask({ Authorization: `Bearer ${await sign()}` })).status).toBe(400);
  expect((await ask({ "Cache-Control": "no-cache" })).headers.get("Age")).toBeNull();
});
