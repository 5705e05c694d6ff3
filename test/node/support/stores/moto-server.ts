import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { untilAnswered } from "../until-answered.ts";
import { type ServedFake, serveFake } from "./serve-fake.ts";

const JSON_TYPE = "application/x-amz-json-1.1";

/** Gets moto, which stands for AWS in many people's tests, from its registry. Returns how it is started, or throws why not. */
export function installMoto(folder: string): () => Promise<ServedFake> {
  execFileSync("python3", ["-m", "venv", folder], { stdio: ["ignore", "pipe", "pipe"] });
  execFileSync(join(folder, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "moto[server,secretsmanager,sts]==5.2.5"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return async () => {
    const port = await freePort();
    const child = spawn(join(folder, "bin/moto_server"), ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
    const exited = once(child, "exit");
    const origin = `http://127.0.0.1:${port}`;
    await untilAnswered(`${origin}/moto-api/`);
    const relay = await serveFake((request) => relayed(request, origin));
    return {
      origin: relay.origin,
      async close() {
        await relay.close();
        child.kill("SIGTERM");
        await exited;
      },
    };
  };
}

/** Moto says of AWS's JSON that it is HTML, where AWS itself names its type. */
async function relayed(request: Request, origin: string): Promise<Response> {
  const isJson = request.headers.get("Content-Type") === JSON_TYPE;
  const reply = await fetch(origin, { method: request.method, headers: request.headers, body: await request.arrayBuffer() });
  const type = isJson ? JSON_TYPE : (reply.headers.get("Content-Type") ?? "");
  return new Response(await reply.arrayBuffer(), { status: reply.status, headers: { "Content-Type": type } });
}
