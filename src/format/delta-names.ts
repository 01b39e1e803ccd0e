/**
 * Names and places of static deltas: `[FROM-]TO` in hex for people and the summary, a base64 form for paths.
 *
 *     deltas/<b64to[0:2]>/<b64to[2:]>/                  from scratch: superblock, 0, 1, ...
 *     deltas/<b64from[0:2]>/<b64from[2:]>-<b64to>/      between two commits
 *     delta-indexes/<b64to[0:2]>/<b64to[2:]>.index      all deltas to one commit
 *
 * The base64 form is standard base64 of the 32 bytes without `=`, with `_` in place of `/` (43 characters; `+` stays).
 *
 * Source: ostree-format 10.1.
 */
import { type Checksum, checksumToBytes, HacktreeError, isChecksum } from '../core/index.ts';

export interface DeltaName {
  /** Undefined for a delta from scratch. */
  readonly from: Checksum | undefined;
  readonly to: Checksum;
}

/** Prints `[FROM-]TO` in hex. */
export function printDeltaName({ from, to }: DeltaName): string {
  return from === undefined ? to : `${from}-${to}`;
}

/** Parses `[FROM-]TO` in hex. Errors: `format-invalid`. */
export function parseDeltaName(text: string): DeltaName {
  const parts = text.split('-');
  const to = parts.at(-1) ?? '';
  const from = parts.length === 2 ? parts[0] : undefined;
  if (parts.length > 2 || !isChecksum(to) || (from !== undefined && !isChecksum(from))) {
    throw new HacktreeError('format-invalid', `Invalid delta name '${text.slice(0, 140)}', expected [FROM-]TO in hex`, {
      details: { expected: '[FROM-]TO', found: text },
    });
  }
  return { from, to };
}

/** Prints a checksum in the base64 form of paths. */
export function checksumToBase64(checksum: Checksum): string {
  return checksumToBytes(checksum).toString('base64').slice(0, 43).replaceAll('/', '_');
}

/** Reads the base64 form of paths; undefined when the text is not exactly what checksumToBase64 prints. */
export function checksumFromBase64(text: string): Checksum | undefined {
  const checksum = Buffer.from(text.replaceAll('_', '/'), 'base64').toString('hex');
  return isChecksum(checksum) && checksumToBase64(checksum) === text ? checksum : undefined;
}

/** The delta's directory in the repository, without a slash at its end. */
export function deltaDirectory({ from, to }: DeltaName): string {
  const first = checksumToBase64(from ?? to);
  const rest = from === undefined ? '' : `-${checksumToBase64(to)}`;
  return `deltas/${first.slice(0, 2)}/${first.slice(2)}${rest}`;
}

/** Reads back a delta's directory `deltas/XX/...`; undefined when it is none. */
export function deltaNameFromDirectory(path: string): DeltaName | undefined {
  const match = /^deltas\/([^/]{2})\/([^/-]{41})(?:-([^/-]{43}))?$/.exec(path);
  if (match === null) return undefined;
  const first = checksumFromBase64(`${match[1]}${match[2]}`);
  if (first === undefined) return undefined;
  if (match[3] === undefined) return { from: undefined, to: first };
  const to = checksumFromBase64(match[3]);
  return to === undefined ? undefined : { from: first, to };
}

/** The file that lists all deltas to a commit. */
export function deltaIndexPath(to: Checksum): string {
  const text = checksumToBase64(to);
  return `delta-indexes/${text.slice(0, 2)}/${text.slice(2)}.index`;
}
