/**
 * The six account files as ordered records: parsing, printing, and what the fields of each mean.
 *
 * A record is a line with a name in its first field. All other lines (comments, blank ones, `+` and `-` entries of
 * NIS) are kept as they are, and a name that stands twice in one file makes two records.
 *
 * **Source:** passwd(5), shadow(5), group(5), gshadow(5), subuid(5), subgid(5), nsswitch.conf(5) for compat entries.
 */

export const ACCOUNT_FILES = ['group', 'gshadow', 'passwd', 'shadow', 'subuid', 'subgid'] as const;
export type AccountFile = (typeof ACCOUNT_FILES)[number];

export interface AccountRecord {
  /** Name and occurrence, or the whole line where it is no record. */
  readonly key: string;
  readonly name: string;
  /** Undefined for a line that is no record. */
  readonly fields: readonly string[] | undefined;
  readonly line: string;
}

/** What the fields of a file mean. Field 0 is the name. */
export interface AccountFormat {
  /** What the file calls its ids, for messages. */
  readonly idName: string;
  /** Field with the uid or gid that belongs to the name alone. */
  readonly idField?: number;
  /** Fields with a comma-separated set of names. */
  readonly setFields: readonly number[];
  /** A password field followed by the day of its last change, which goes with it. */
  readonly passwordField?: number;
  /** The record is a range of ids, start and count in these fields. */
  readonly rangeFields?: readonly [number, number];
}

export const ACCOUNT_FORMATS: Readonly<Record<AccountFile, AccountFormat>> = {
  passwd: { idName: 'uid', idField: 2, setFields: [] },
  group: { idName: 'gid', idField: 2, setFields: [3] },
  shadow: { idName: 'uid', setFields: [], passwordField: 1 },
  gshadow: { idName: 'gid', setFields: [2, 3] },
  subuid: { idName: 'uids', setFields: [], rangeFields: [1, 2] },
  subgid: { idName: 'gids', setFields: [], rangeFields: [1, 2] },
};

/** Tells whether a name in /etc is one of the account files. */
export function isAccountFile(name: string): name is AccountFile {
  return (ACCOUNT_FILES as readonly string[]).includes(name);
}

/** Parses a file's text. Never fails: what is no record is kept as a line. */
export function parseAccounts(text: string): AccountRecord[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const seen = new Map<string, number>();
  return lines.map((line) => {
    const isRecord = /^[^:+\-#\s][^:]*:/.test(line);
    const fields = isRecord ? line.split(':') : undefined;
    const name = fields?.[0] ?? '';
    const label = isRecord ? name : `\n${line}`;
    const occurrence = seen.get(label) ?? 0;
    seen.set(label, occurrence + 1);
    return { key: occurrence === 0 ? label : `${label}\n${occurrence}`, name, fields, line };
  });
}

/** Prints records, one line each. */
export function printAccounts(records: readonly AccountRecord[]): string {
  return records.map(({ line }) => `${line}\n`).join('');
}

/** Makes a record with other fields. */
export function withFields(record: AccountRecord, fields: readonly string[]): AccountRecord {
  return { ...record, fields, line: fields.join(':') };
}

/** Splits a comma-separated set of names. */
export function parseNames(field: string): string[] {
  return field.split(',').filter((name) => name !== '');
}

/** Parses an id as the C library does; undefined when it is not a number. */
function parseId(field: string | undefined): number | undefined {
  return field !== undefined && /^\d+$/.test(field) ? Number(field) : undefined;
}

/** The ids a record claims for its name: one, or a range, first and last inclusive. */
export function claimedIds(format: AccountFormat, fields: readonly string[] | undefined): [number, number] | undefined {
  if (fields === undefined) return undefined;
  if (format.idField !== undefined) {
    const id = parseId(fields[format.idField]);
    return id === undefined ? undefined : [id, id];
  }
  if (format.rangeFields === undefined) return undefined;
  const start = parseId(fields[format.rangeFields[0]]);
  const count = parseId(fields[format.rangeFields[1]]);
  return start === undefined || count === undefined || count === 0 ? undefined : [start, start + count - 1];
}

/** Tells whether two ranges of ids, as claimedIds gives them, share one. */
export function idsOverlap(a: readonly [number, number] | undefined, b: readonly [number, number] | undefined): boolean {
  return a !== undefined && b !== undefined && a[0] <= b[1] && b[0] <= a[1];
}
