/**
 * GLib key files: `[group]` lines and `key=value` lines, with comments, blank lines and order kept on every change.
 *
 * A KeyFile is the list of its lines; set and unset touch one line and leave the rest as the user wrote it. Values are
 * kept raw; strings know the escapes `\s \n \t \r \\`, lists are separated by `;` and know `\;` too. A group may begin more
 * than once; of a key that is there twice the last counts.
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

  /** Returns the value with escapes resolved. Errors: `repo-config` for an unknown escape. */
  getString(group: string, key: string): string | undefined {
    const raw = this.get(group, key);
    if (raw === undefined) return undefined;
    const value = unescapeValue(raw, ESCAPES);
    if (value === undefined) throw invalidValue(group, key, 'no escapes but \\s \\n \\t \\r \\\\', raw);
    return value;
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

  /** Reads a list separated by `;` (a final one is ignored). Errors: `repo-config` for an unknown escape. */
  getList(group: string, key: string): string[] | undefined {
    const raw = this.get(group, key);
    if (raw === undefined) return undefined;
    const items = raw.match(/(?:\\.?|[^;\\])*(?:;|$)/g)?.filter((item) => item !== '') ?? [];
    return items.map((item, i) => {
      const isLast = i === items.length - 1 && !raw.endsWith(';');
      const value = unescapeValue(isLast ? item : item.slice(0, -1), LIST_ESCAPES);
      if (value === undefined) throw invalidValue(group, key, 'no escapes but \\; \\s \\n \\t \\r \\\\', raw);
      return value;
    });
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

  /** Sets a list, each item ended by `;`. */
  setList(group: string, key: string, items: readonly string[]): void {
    this.set(group, key, items.map((item) => `${escapeValue(item).replace(/;/g, '\\;')};`).join(''));
  }

  /** Removes a key; returns whether it was there. */
  unset(group: string, key: string): boolean {
    return this.#remove((line) => line.kind === 'key' && line.group === group && line.key === key);
  }

  /** Removes a group with its keys and comments, but not the comments right above the next group; returns whether it was there. */
  removeGroup(group: string): boolean {
    const isKept = (line: Line, i: number) => line.kind === 'other' && this.#belongsToNext(i);
    const removed = this.#remove((line, i) => line.group === group && !isKept(line, i));
    // The blank line above the last group goes with it.
    while (removed && this.#lines.at(-1)?.text.trim() === '') this.#lines.pop();
    return removed;
  }

  /** Tells whether a comment or blank line stands in a block of such lines, comments among them, above another group or the end. */
  #belongsToNext(at: number): boolean {
    let from = at;
    let to = at;
    while (this.#lines[from - 1]?.kind === 'other') from--;
    while (this.#lines[to]?.kind === 'other') to++;
    const isAbove = this.#lines[to]?.kind !== 'key';
    return isAbove && this.#lines.slice(from, to).some(({ text }) => text.trim() !== '');
  }

  #remove(matches: (line: Line, i: number) => boolean): boolean {
    const kept = this.#lines.filter((line, i) => !matches(line, i));
    const removed = kept.length < this.#lines.length;
    this.#lines.splice(0, this.#lines.length, ...kept);
    return removed;
  }
}

const BLANK = '[ \\t\\f\\r]*';
const OTHER_LINE = new RegExp(`^${BLANK}(#.*)?$`, 's');
const GROUP_LINE = new RegExp(`^${BLANK}\\[([^[\\]\\p{Cc}]+)\\]${BLANK}$`, 'u');
/** Key, perhaps with a locale; white space around it; value up to a carriage return at the end. */
const KEY_LINE = new RegExp(`^${BLANK}([^=[\\]]*?(?:\\[[-\\w.@]+\\])?)${BLANK}=${BLANK}(.*?)\\r?$`, 's');

function parseLine(text: string, group: string): Line | undefined {
  if (OTHER_LINE.test(text)) return { kind: 'other', group, key: '', value: '', text };
  const header = GROUP_LINE.exec(text);
  if (header?.[1] !== undefined) return { kind: 'group', group: header[1], key: '', value: '', text };
  const [, key = '', value = ''] = KEY_LINE.exec(text) ?? [];
  return key === '' ? undefined : { kind: 'key', group, key, value, text };
}

const ESCAPES: Record<string, string> = { s: ' ', n: '\n', t: '\t', r: '\r', '\\': '\\' };
const LIST_ESCAPES: Record<string, string> = { ...ESCAPES, ';': ';' };

/** Returns undefined for an escape that is not known. */
function unescapeValue(raw: string, escapes: Record<string, string>): string | undefined {
  let isKnown = true;
  const value = raw.replace(/\\(.?)/gs, (_, c: string) => {
    if (escapes[c] === undefined) isKnown = false;
    return escapes[c] ?? '';
  });
  return isKnown ? value : undefined;
}

const WRITTEN: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', ' ': '\\s' };

/** Escapes blanks at the start, where a reader would skip them, and what cannot stand in a line. */
function escapeValue(value: string): string {
  return value.replace(/^[ \t]+|[\\\n\r]/g, (found) => found.replace(/./gs, (c) => WRITTEN[c] ?? c));
}

function invalidValue(group: string, key: string, expected: string, found: string): HacktreeError {
  return new HacktreeError('repo-config', `Invalid value '${found}' of ${group}.${key}, expected ${expected}`, {
    details: { expected, found },
  });
}
