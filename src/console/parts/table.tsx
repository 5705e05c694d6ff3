import type { ComponentChildren } from "preact";

/** A column: what it is called, and what a row shows there. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** The first column names the row. Names are not broken where there is room; numbers stand at the right, buttons have no heading that is seen. */
  readonly kind?: "name" | "number" | "actions";
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
  readonly empty: ComponentChildren;
  readonly classOf?: (row: Row) => string | undefined;
}

/** A table. On a narrow screen each row is a card whose lines say their column; the roles keep it a table for screen readers. */
export function Table<Row>({ caption, columns, rows, keyOf, empty, classOf }: TableProps<Row>) {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: browsers forget the roles of what is laid out otherwise.
    // biome-ignore-start lint/a11y/useSemanticElements: the same.
    <table class="data" role="table">
      <caption class="unseen">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, kind }) => (
            <th key={title} scope="col" role="columnheader" class={kind}>
              {kind === "actions" ? <span class="unseen">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row" class={classOf?.(row)}>
            {columns.map(({ title, cell, kind }, at) =>
              at === 0 ? (
                <th key={title} scope="row" role="rowheader">
                  {cell(row)}
                </th>
              ) : (
                <td key={title} role="cell" data-title={title} class={kind}>
                  <div>{cell(row)}</div>
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
    // biome-ignore-end lint/a11y/useSemanticElements: the same.
    // biome-ignore-end lint/a11y/noRedundantRoles: browsers forget the roles of what is laid out otherwise.
  );
}
