/** What a cell of a table holds; null where there is nothing. */
export type Cell = string | number | null;

/** A table as data: for a CSV or Markdown file, or the download behind a chart. */
export interface DataTable {
  /** Names of the columns. */
  readonly columns: readonly string[];
  /** Each as long as `columns`. */
  readonly rows: readonly (readonly Cell[])[];
}

/**
 * The table as CSV with a line of names, numbers in full, nothing for null.
 *
 * Text that a spreadsheet would take for a formula begins with an apostrophe.
 *
 * @source RFC 4180; OWASP, CSV injection
 */
export function toCsv({ columns, rows }: DataTable): string {
  return [columns, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** The table as GitHub's Markdown, numbers to four significant digits and to the right. */
export function toMarkdown({ columns, rows }: DataTable): string {
  const isNumber = columns.map((_, column) => rows.some((row) => typeof row[column] === 'number'));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return [
    line(columns.map(markdownText)),
    line(isNumber.map((right) => (right ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(markdownCell))),
  ].join('');
}

/** Records with equal keys as a table. */
export function tableOf(records: readonly { readonly [column: string]: Cell }[]): DataTable {
  const columns = Object.keys(records[0] ?? {});
  return { columns, rows: records.map((record) => columns.map((column) => record[column])) };
}

function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function markdownCell(cell: Cell): string {
  if (cell === null) return '–';
  return typeof cell === 'number' ? String(Number(cell.toPrecision(4))) : markdownText(cell);
}

function markdownText(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|]/g, '\\$&').replace(/\s+/g, ' ');
}
