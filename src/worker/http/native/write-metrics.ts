import { METRICS, type MetricName, type MetricSample } from "../../../contract/metrics.ts";

/** The forms of metrics, by media type. */
export const METRIC_FORMS = {
  "application/openmetrics-text": { type: "application/openmetrics-text; version=1.0.0; charset=utf-8", write: writeOpenMetrics },
  "text/plain": { type: "text/plain; version=0.0.4; charset=utf-8", write: writePrometheus },
} as const;

/** Metrics as OpenMetrics 1.0 has them in text: families with their metadata, and `# EOF` at the end. */
function writeOpenMetrics(samples: readonly MetricSample[]): string {
  return `${familiesOf(samples, (name, total) => {
    const { type, help } = METRICS[name];
    const unit = "unit" in METRICS[name] ? [`# UNIT ${name} ${METRICS[name].unit}`] : [];
    return { metadata: [`# TYPE ${name} ${type}`, ...unit, `# HELP ${name} ${help}`], name: total };
  })}# EOF\n`;
}

/** The same as the text format 0.0.4 of Prometheus has them: there a counter's name has `_total` everywhere. */
function writePrometheus(samples: readonly MetricSample[]): string {
  return familiesOf(samples, (name, total) => {
    const { type, help } = METRICS[name];
    return { metadata: [`# HELP ${total} ${help}`, `# TYPE ${total} ${type}`], name: total };
  });
}

type Form = (name: MetricName, total: string) => { readonly metadata: readonly string[]; readonly name: string };

/** Families one after the other, with their samples: a family without any is left out. */
function familiesOf(samples: readonly MetricSample[], form: Form): string {
  const lines = [...Map.groupBy(samples, ({ name }) => name)].flatMap(([family, some]) => {
    const { metadata, name } = form(family, METRICS[family].type === "counter" ? `${family}_total` : family);
    return [...metadata, ...some.map(({ labels, value }) => `${name}${labelsIn(labels)} ${value}`)];
  });
  return lines.map((line) => `${line}\n`).join("");
}

/** Labels are words of closed lists: there is nothing in them to be escaped. */
function labelsIn(labels: MetricSample["labels"]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
