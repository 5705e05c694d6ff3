import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openPlace, type Place } from "./support/place.ts";

let place: Place;
let foreign: Server;
beforeAll(async () => {
  place = await openPlace();
  foreign = createServer((_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<title>foreign</title>"));
  await new Promise<void>((resolve) => void foreign.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await place?.close();
  foreign.closeAllConnections();
  foreign.close();
});

it("gives a foreign page nothing, and does nothing for it, while somebody is logged in", async () => {
  const { page, logIn, context } = await place.visit();
  const token = await place.tokenOf("attacked");
  await logIn(token);
  // Another port of this machine is another origin of the same site: the browser sends the session's cookie along.
  await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
  const statuses: number[] = [];
  page.on("response", (response) => statuses.push(response.status()));
  const attempt = (headers: Record<string, string>, mode: RequestMode) =>
    page.evaluate(
      async ([origin, headers, mode]) => {
        const body = JSON.stringify({ scope: "global", name: "PLANTED", value: "v" });
        return fetch(`${origin}/console/api/v1/secrets`, { method: "POST", body, headers, mode, credentials: "include" }).then(
          ({ type }) => type,
          () => "refused",
        );
      },
      [place.origin, headers, mode] as const,
    );
  expect(await attempt({ "Keyhole-Console": "1", "Content-Type": "application/json" }, "cors")).toBe("refused");
  expect(await attempt({}, "no-cors")).toBe("opaque");
  expect(statuses.at(-1)).toBe(403);
  const { secrets } = (await (await place.call(token, "GET", "/v1/secrets")).json()) as { secrets: unknown[] };
  expect(secrets).toEqual([]);
  await context.close();
});

it("is shown in no frame of a foreign page", async () => {
  const { page, context } = await place.visit();
  await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
  await page.evaluate((address) => {
    const frame = document.createElement("iframe");
    frame.src = address;
    document.body.append(frame);
    return new Promise((resolve) => frame.addEventListener("load", resolve));
  }, `${place.origin}/console/login`);
  const inside = await page.frames().at(-1)?.content();
  expect(inside).not.toContain("console-");
  expect(inside).not.toContain('id="console"');
  await context.close();
});
