/**
 * The JSON envelope of `--json`: one object on one line for each call, result or error, always on standard output.
 *
 * `{"hacktree":1,"command":"log","data":…}` or `{"hacktree":1,"command":"log","error":{code,message,details,hints}}`.
 * The number is the version of the schema; it changes only when something is removed or changes its meaning.
 * docs/json.md describes the data of each command.
 */
import type { HacktreeError } from '../core/index.ts';

export const SCHEMA_VERSION = 1;

/** Prints a result. A big integer becomes a number where it is exact, else a string; bytes become hex, undefined null. */
export function printResult(command: string, data: unknown): string {
  return envelope(command, { data: data ?? null });
}

/** Prints an error. */
export function printErrorObject(command: string, error: HacktreeError): string {
  const { code, message, details, hints } = error;
  return envelope(command, { error: { code, message, details, hints } });
}

function envelope(command: string, rest: object): string {
  return `${JSON.stringify({ hacktree: SCHEMA_VERSION, command, ...rest }, plain)}\n`;
}

function plain(this: Record<string, unknown>, key: string, value: unknown): unknown {
  // A Buffer arrives here already turned into its own JSON form; the holder has the original.
  const original = this[key];
  if (original instanceof Uint8Array) return Buffer.from(original).toString('hex');
  if (value === undefined) return null;
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}
