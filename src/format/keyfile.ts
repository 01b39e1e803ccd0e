/**
 * GLib key files: `[group]` lines and `key=value` lines, with comments, blank lines and order kept on every change.
 *
 * A KeyFile is the list of its lines; set and unset touch one line and leave the rest as the user wrote it. Values are
 * kept raw; lists are separated by `;`, with `\;` and the escapes `\s \n \t \r \\`.
 *
 * Source: ostree-format 8; the Desktop Entry Specification's basic format, as GLib documents it for GKeyFile.
 */
import { HacktreeError } from '../core/index.ts';

interface Line {
  readonly kind: 'group' | 'key' | 'other';
  /** Group this line stands in ('' before the first). */
  readonly group: string;
  readonly key: string;
  readonly value: string;
  readonly text: string;
}

export class KeyFile {
  readonly #lines: Line[] = [];

  /** Parses text. Errors: `repo-config` naming the line. */
  static parse(text: string, path = 'key file'): KeyFile {
    const file = new KeyFile();
    let group = '';
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    lines.forEach((raw, i) => {
      const line = parseLine(raw, group);
      if (line === undefined || (line.kind === 'key' && line.group === '')) {
        throw new HacktreeError(
          'repo-config',
          `${path}, line ${i + 1}: expected [group], key=value or # comment, found '${raw}'`,
          {
            details: { path, expected: '[group], key=value or # comment', found: raw },
          },
        );
      }
      group = line.group;
      file.#lines.push(line);
    });
    return file;
  }

  /** Prints the file, ending in a newline unless empty. */
  print(): string {
    return this.#lines.map((line) => `${line.text}\n`).join('');
  }

  groups(): string[] {
    return [...new Set(this.#lines.filter((line) => line.kind === 'group').map((line) => line.group))];
  }

  hasGroup(group: string): boolean {
    return this.#lines.some((line) => line.kind === 'group' && line.group === group);
  }

  keys(group: string): string[] {
    return [...new Set(this.#lines.filter((line) => line.kind === 'key' && line.group === group).map((line) => line.key))];
  }

  /** Returns the raw value; the last of several lines wins. */
  get(group: string, key: string): string | undefined {
    return this.#lines.findLast((line) => line.kind === 'key' && line.group === group && line.key === key)?.value;
  }

  /** Returns the value with escapes resolved. */
  getString(group: string, key: string): string | undefined {
    const raw = this.get(group, key);
    return raw === undefined ? undefined : unescapeValue(raw);
  }

  /** Reads `true`, `false`, `1` or `0`. Errors: `repo-config`. */
  getBoolean(group: string, key: string): boolean | undefined {
    const raw = this.get(group, key)?.trim();
    if (raw === undefined) return undefined;
    if (raw === 'true' || raw === '1') return true;
    if (raw === 'false' || raw === '0') return false;
    throw invalidValue(group, key, 'true or false', raw);
  }

  /** Reads a decimal integer. Errors: `repo-config`. */
  getInteger(group: string, key: string): number | undefined {
    const raw = this.get(group, key)?.trim();
    if (raw === undefined) return undefined;
    if (!/^[+-]?\d+$/.test(raw)) throw invalidValue(group, key, 'an integer', raw);
    return Number(raw);
  }

  /** Reads a list separated by `;` (a final one is ignored). */
  getList(group: string, key: string): string[] | undefined {
    const raw = this.get(group, key);
    if (raw === undefined) return undefined;
    const items = raw.match(/(?:\\.|[^;\\])*(?:;|$)/g)?.filter((item) => item !== '') ?? [];
    return items.map((item) => unescapeValue(item.endsWith(';') ? item.slice(0, -1) : item));
  }

  /** Sets a raw value, in place when the key exists, else at the end of its group, which is added when missing. */
  set(group: string, key: string, value: string): void {
    const line: Line = { kind: 'key', group, key, value, text: `${key}=${value}` };
    const at = this.#lines.findLastIndex((old) => old.kind === 'key' && old.group === group && old.key === key);
    if (at >= 0) {
      this.#lines[at] = line;
      return;
    }
    if (!this.hasGroup(group)) {
      if (this.#lines.length > 0 && this.#lines.at(-1)?.text !== '') this.#addBlank();
      this.#lines.push({ kind: 'group', group, key: '', value: '', text: `[${group}]` });
    }
    const last = this.#lines.findLastIndex((old) => old.group === group && old.kind !== 'other');
    this.#lines.splice(last + 1, 0, line);
  }

  #addBlank(): void {
    this.#lines.push({ kind: 'other', group: this.#lines.at(-1)?.group ?? '', key: '', value: '', text: '' });
  }

  /** Sets a value after escaping it. */
  setString(group: string, key: string, value: string): void {
    this.set(group, key, escapeValue(value));
  }

  /** Removes a key; returns whether it was there. */
  unset(group: string, key: string): boolean {
    return this.#remove((line) => line.kind === 'key' && line.group === group && line.key === key);
  }

  /** Removes a group with all its lines; returns whether it was there. */
  removeGroup(group: string): boolean {
    return this.#remove((line) => line.group === group);
  }

  #remove(matches: (line: Line) => boolean): boolean {
    const kept = this.#lines.filter((line) => !matches(line));
    const removed = kept.length < this.#lines.length;
    this.#lines.splice(0, this.#lines.length, ...kept);
    return removed;
  }
}

function parseLine(text: string, group: string): Line | undefined {
  const trimmed = text.trimStart();
  if (trimmed === '' || trimmed.startsWith('#')) return { kind: 'other', group, key: '', value: '', text };
  const header = /^\[([^[\]]+)\]\s*$/.exec(trimmed);
  if (header?.[1] !== undefined) return { kind: 'group', group: header[1], key: '', value: '', text };
  const equals = trimmed.indexOf('=');
  if (equals <= 0 || trimmed.startsWith('[')) return undefined;
  return { kind: 'key', group, key: trimmed.slice(0, equals).trimEnd(), value: trimmed.slice(equals + 1).trimStart(), text };
}

const ESCAPES: Record<string, string> = { s: ' ', n: '\n', t: '\t', r: '\r', '\\': '\\' };

function unescapeValue(raw: string): string {
  return raw.replace(/\\(.)/g, (_, c: string) => ESCAPES[c] ?? c);
}

function escapeValue(value: string): string {
  return value
    .replace(/\\/g, '\\\\')
    .replace(/\n/g, '\\n')
    .replace(/\t/g, '\\t')
    .replace(/\r/g, '\\r')
    .replace(/^ +/, (spaces) => '\\s'.repeat(spaces.length));
}

function invalidValue(group: string, key: string, expected: string, found: string): HacktreeError {
  return new HacktreeError('repo-config', `Invalid value '${found}' of ${group}.${key}, expected ${expected}`, {
    details: { expected, found },
  });
}
