import { accepts } from "hono/accepts";
import { deploymentMetrics } from "../../health/deployment-metrics.ts";
import { readMetrics } from "../../health/read-metrics.ts";
import { readDetails } from "../check-readiness.ts";
import { operation } from "../operation.ts";
import { text } from "../parse/body.ts";
import { METRIC_FORMS } from "./write-metrics.ts";

const OPEN_METRICS = "application/openmetrics-text";
const schema = text(
  '# TYPE keyhole_events counter\n# HELP keyhole_events Audit events, by what was done and how it ended.\nkeyhole_events_total{action="secret.resolve",outcome="allowed"} 12\n# EOF\n',
);

/** The route of what is counted. */
export const metricRoutes = [
  operation(
    {
      method: "get",
      path: "/metrics",
      id: "readMetrics",
      summary: "Read the metrics of your organization",
      description:
        "In OpenMetrics 1.0; in the text format 0.0.4 of Prometheus for whoever accepts `text/plain` and not `application/openmetrics-text`, or rather. With `keys:read` too, those of the whole deployment (`keyhole_deployment_…`). Counters are of what the scheduled run has gone through: they are a minute or two behind the log, and count each event once. No label has the name of anything that somebody made.",
      tag: "System",
      permission: "metrics:read",
      action: "metrics.read",
      problems: ["integrity-failed"],
      replies: { 200: { description: "The metrics.", content: { [OPEN_METRICS]: { schema }, "text/plain": { schema } } } },
    },
    async ({ c, needs, caller }) => {
      const own = await readMetrics(needs, caller);
      const all = caller.permissions.has("keys:read") ? [...own, ...deploymentMetrics(await readDetails(c.env, c.get("config"), c.get("now")))] : own;
      const form = accepts(c, { header: "Accept", supports: Object.keys(METRIC_FORMS), default: OPEN_METRICS }) as keyof typeof METRIC_FORMS;
      c.header("Vary", "Accept");
      return c.body(METRIC_FORMS[form].write(all), 200, { "Content-Type": METRIC_FORMS[form].type });
    },
  ),
];
