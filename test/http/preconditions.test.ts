import type { HonoRequest } from "hono";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Problem } from "../../src/contract/problem.ts";
import { precondition } from "../../src/worker/http/parse/parse-precondition.ts";
import { GuardError } from "../../src/worker/store/run-batch.ts";
import { retryWhenChanged } from "../../src/worker/transaction/retry-when-changed.ts";
import { at, type CallOptions, call, put, type Reply } from "../support/call.ts";
import { resolvedValue } from "../support/resolved-value.ts";

afterEach(() => vi.restoreAllMocks());

/** The three conditional writes of one secret, by name and by id. */
const writes: Record<string, (name: string, id: string, headers: Record<string, string>) => Promise<Reply>> = {
  PUT: (name, _, headers) => put("global", name, "changed", { headers }),
  PATCH: (_, id, headers) => call(`PATCH /v1/secrets/${id}`, { json: { value: "changed" }, headers }),
  "DELETE by name": (name, _, headers) => call(`DELETE ${at("global", name)}`, { headers }),
  "DELETE by id": (_, id, headers) => call(`DELETE /v1/secrets/${id}`, { headers }),
};

describe.each(Object.entries(writes))("%s", (label, write) => {
  const name = label.replaceAll(" ", "_");

  it("with a stale If-Match is 412 and changes nothing", async () => {
    const first = await put("global", `${name}_STALE`, "one");
    await put("global", `${name}_STALE`, "two");
    const refused = await write(`${name}_STALE`, first.body.id, { "If-Match": first.headers.get("ETag") ?? "" });
    expect([refused.status, refused.body.code]).toEqual([412, "version-conflict"]);
    expect(await resolvedValue(`${name}_STALE`)).toBe("two");
  });

  it.each(["the current tag", "a list with the current tag", "*"])("with %s in If-Match goes through", async (which) => {
    const secret = `${name}_${which.length}`;
    const { headers, body } = await put("global", secret, "one");
    const tag = headers.get("ETag") ?? "";
    const condition = which === "*" ? "*" : which.startsWith("a list") ? `"other", ${tag}` : tag;
    expect((await write(secret, body.id, { "If-Match": condition })).status).toBeLessThan(300);
  });

  it("with If-None-Match: * is 412 for a secret that exists", async () => {
    const { body } = await put("global", `${name}_NONE`, "one");
    expect((await write(`${name}_NONE`, body.id, { "If-None-Match": "*" })).status).toBe(412);
    expect(await resolvedValue(`${name}_NONE`)).toBe("one");
  });

  it.each(["unquoted", '"open', '"a" "b"', ",", "tag", 'tag,"a"', 'x"a"', '"a"x'])(
    "with the malformed If-Match %j is 400 and changes nothing",
    async (header) => {
      const { body } = await put("global", `${name}_BAD`, "one");
      const refused = await write(`${name}_BAD`, body.id, { "If-Match": header });
      expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, "header:If-Match"]);
      expect(await resolvedValue(`${name}_BAD`)).toBe("one");
    },
  );

  it("takes a tag in a list with empty elements, and one with a comma in it for one tag", async () => {
    const { headers, body } = await put("global", `${name}_LIST`, "one");
    expect((await write(`${name}_LIST`, body.id, { "If-Match": '"a,b", "c"' })).status).toBe(412);
    expect((await write(`${name}_LIST`, body.id, { "If-Match": `,"a,b", ,${headers.get("ETag")},` })).status).toBeLessThan(300);
  });

  it("takes a weak tag as equal in If-None-Match alone", async () => {
    const { headers, body } = await put("global", `${name}_WEAK`, "one");
    expect((await write(`${name}_WEAK`, body.id, { "If-Match": `W/${headers.get("ETag")}` })).status).toBe(412);
    expect((await write(`${name}_WEAK`, body.id, { "If-None-Match": `W/${headers.get("ETag")}` })).status).toBe(412);
  });
});

describe("a PUT for a secret that is not there", () => {
  const attempt = (name: string, headers: CallOptions["headers"] = {}) => put("global", name, "v", { headers });

  it("goes through with If-None-Match: *, and the second time is 412", async () => {
    expect((await attempt("NEW_ONCE", { "If-None-Match": "*" })).status).toBe(201);
    expect((await attempt("NEW_ONCE", { "If-None-Match": "*" })).status).toBe(412);
  });

  it.each(["*", '"sec_other.1"'])("is 412 with If-Match: %s", async (tag) => {
    expect((await attempt("NEVER_MADE", { "If-Match": tag })).status).toBe(412);
    expect((await call(`GET ${at("global", "NEVER_MADE")}`)).status).toBe(404);
  });

  it("is 412 with the tag of a secret that had the name before", async () => {
    const before = await attempt("REMADE");
    await call(`DELETE ${at("global", "REMADE")}`);
    await attempt("REMADE");
    expect((await attempt("REMADE", { "If-Match": before.headers.get("ETag") ?? "" })).status).toBe(412);
  });
});

describe("an empty condition", () => {
  it.each([
    ["If-Match", ","],
    ["If-None-Match", ", ,"],
  ])("is 400, not none: %s: %s", async (header, value) => {
    const { body } = await put("global", "EMPTY_CONDITION", "v");
    for (const [method, write] of Object.entries(writes)) {
      const reply = await write("EMPTY_CONDITION", body.id, { [header]: value });
      expect([method, reply.status, reply.body.errors?.[0].pointer]).toEqual([method, 400, `header:${header}`]);
    }
  });

  // The runtime drops an empty header before the Worker sees it, which README says: one that came all the same is no condition met.
  it.each(["", " "])("is none that is met where it comes as %j", (value) => {
    for (const header of ["If-Match", "If-None-Match"])
      expect(() => precondition({ header: (name: string) => (name === header ? value : undefined) } as HonoRequest)).toThrow(Problem);
  });

  it('that names an empty tag ("") is one that no secret has', async () => {
    await put("global", "EMPTY_TAG", "v");
    expect((await put("global", "EMPTY_TAG", "w", { headers: { "If-Match": '""' } })).status).toBe(412);
  });
});

describe("writes at the same time", () => {
  const ten = Array.from({ length: 10 }, (_, n) => `value ${n}`);

  it("without a condition all go through, as versions 1 to 50", async () => {
    const fifty = Array.from({ length: 50 }, (_, n) => `value ${n}`);
    const replies = await Promise.all(fifty.map((value) => put("global", "AT_ONCE", value)));
    expect(replies.map(({ status }) => status).sort()).toEqual([...Array(49).fill(200), 201]);
    expect(replies.map(({ body }) => body.version).sort((a, b) => a - b)).toEqual(fifty.map((_, n) => n + 1));
    const last = replies.findIndex(({ body }) => body.version === 50);
    expect(await resolvedValue("AT_ONCE")).toBe(fifty[last]);
  });

  it("that others always come before are write-conflict in the end, after pauses drawn from longer and longer times", async () => {
    const pauses: number[] = [];
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((go: () => void, milliseconds: number) => {
      pauses.push(milliseconds);
      go();
    }) as never);
    const always = retryWhenChanged(() => Promise.reject(new GuardError("unchanged")));
    await expect(always).rejects.toMatchObject({ code: "write-conflict", status: 409 });
    expect(pauses).toEqual([12.5, 25, 50, 100, 200, 400, ...Array(13).fill(500)]);
    const other = retryWhenChanged(() => Promise.reject(new GuardError("token_in_force")));
    await expect(other).rejects.toThrow(GuardError);
    expect(pauses).toHaveLength(19);
  });

  it("with one If-Match exactly one goes through", async () => {
    const { headers } = await put("global", "ONE_WINS", "start");
    const replies = await Promise.all(ten.map((value) => put("global", "ONE_WINS", value, { headers: { "If-Match": headers.get("ETag") ?? "" } })));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(412)]);
    expect(await resolvedValue("ONE_WINS")).toBe(ten[replies.findIndex(({ status }) => status === 200)]);
  });

  it("with If-None-Match: * exactly one creates", async () => {
    const replies = await Promise.all(ten.map((value) => put("global", "ONE_CREATES", value, { headers: { "If-None-Match": "*" } })));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(412)]);
  });
});
