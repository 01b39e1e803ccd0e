/**
 * The small text files under /gnomeos/state: lines `key=value`, read by shell scripts too, so values have no newlines.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { errnoOf, wrapSystemError } from '../core/index.ts';
import { ensureDir, removeFileDurable, writeFileDurable } from '../sys/index.ts';

export type Fields = ReadonlyMap<string, string>;

export function parseFields(text: string): Fields {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0 && !line.startsWith('#')) fields.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return fields;
}

/** Prints fields in order; undefined ones are left out. */
function printFields(fields: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(fields).filter(([, value]) => value !== undefined);
  return lines.map(([key, value]) => `${key}=${(value ?? '').replaceAll('\n', ' ')}\n`).join('');
}

/** Reads a record; undefined when there is none. */
export function readRecord(dir: string, name: string): Fields | undefined {
  const path = join(dir, name);
  try {
    return parseFields(fs.readFileSync(path, 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw wrapSystemError(error, 'Reading', path);
  }
}

/** Writes a record durably, making its directory. */
export function writeRecord(dir: string, name: string, fields: Readonly<Record<string, string | undefined>>): void {
  try {
    ensureDir(dir);
    writeFileDurable(join(dir, name), Buffer.from(printFields(fields)));
  } catch (error) {
    throw wrapSystemError(error, 'Writing', join(dir, name));
  }
}

export function removeRecord(dir: string, name: string): void {
  removeFileDurable(join(dir, name));
}

/** Reads a time in seconds. */
export function timeField(fields: Fields | undefined, key: string): number | undefined {
  const text = fields?.get(key);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
