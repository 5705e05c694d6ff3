import type { SizeRow } from "./sizes.ts";

const WIDTH = 720;
const HEIGHT = 300;
const MARGIN = 56;

interface Series {
  readonly label: string;
  readonly color: string;
  readonly value: (row: SizeRow) => number;
}

/** A plot (SVG) of latency and of rows read against the size of the store, which is on a logarithmic axis. */
export function plot(rows: readonly SizeRow[]): string {
  const latency = chart(rows, "median latency, ms", 0, [
    { label: "resolve 1", color: "#2563eb", value: ({ resolve }) => resolve },
    { label: "list of 50", color: "#d97706", value: ({ list }) => list },
  ]);
  const read = chart(rows, "D1 rows read", HEIGHT, [
    { label: "resolve 1", color: "#2563eb", value: ({ rowsReadByResolve }) => rowsReadByResolve },
    { label: "list of 50", color: "#d97706", value: ({ rowsReadByList }) => rowsReadByList },
  ]);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT * 2}" font-family="system-ui, sans-serif" font-size="13" fill="#333">
<title>Latency and D1 rows read against the number of secrets in the store</title>
<rect width="100%" height="100%" fill="#fff"/>
${latency}
${read}
</svg>
`;
}

function chart(rows: readonly SizeRow[], title: string, top: number, series: readonly Series[]): string {
  const logs = rows.map(({ size }) => Math.log10(size));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const most = Math.max(...rows.flatMap((row) => series.map(({ value }) => value(row)))) * 1.15;
  const x = (size: number) => MARGIN + ((Math.log10(size) - low) / (high - low || 1)) * (WIDTH - 2 * MARGIN);
  const y = (value: number) => top + HEIGHT - MARGIN - (value / most) * (HEIGHT - 2 * MARGIN);
  const axis = `<path d="M${MARGIN} ${y(0)}H${WIDTH - MARGIN}M${MARGIN} ${y(0)}V${y(most)}" stroke="#999" fill="none"/>`;
  const sizes = rows.map(({ size }) => `<text x="${x(size).toFixed(1)}" y="${y(0) + 20}" text-anchor="middle">${size.toLocaleString("en")}</text>`);
  const lines = series.map(({ label, color, value }, n) => {
    const points = rows.map((row) => `${x(row.size).toFixed(1)},${y(value(row)).toFixed(1)}`);
    const dots = rows.map(
      (row) =>
        `<circle cx="${x(row.size).toFixed(1)}" cy="${y(value(row)).toFixed(1)}" r="3.5" fill="${color}"/><text x="${x(row.size).toFixed(1)}" y="${(y(value(row)) - 8).toFixed(1)}" text-anchor="middle" fill="${color}">${Number(value(row).toFixed(2))}</text>`,
    );
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join("")}<text x="${MARGIN + 190 + n * 110}" y="${top + 26}" fill="${color}">● ${label}</text>`;
  });
  return [
    `<text x="${MARGIN}" y="${top + 26}" font-weight="600">${title}</text>`,
    axis,
    ...sizes,
    ...lines,
    `<text x="${WIDTH / 2}" y="${y(0) + 40}" text-anchor="middle">secrets in the store</text>`,
  ].join("\n");
}
