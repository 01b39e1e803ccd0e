/**
 * Rules for names that come from trees, command lines and servers. All of them are hostile until checked here.
 *
 * Source: ostree-format 5.2 (file names), 7 (refs, remotes, collection IDs).
 */

import { isChecksum } from './checksum.ts';
import { HacktreeError } from './errors.ts';

const REF_COMPONENT = /^[\p{L}\p{N}_][-._\p{L}\p{N}]*$/u;
const COLLECTION_ID = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$/;

/** Returns why a directory entry's name is not allowed, or undefined when it is. */
export function fileNameProblem(name: string): string | undefined {
  if (name === '') return 'Invalid empty filename';
  if (name === '.' || name === '..') return `Invalid self-referential filename '${name}'`;
  if (name.includes('/')) return `Invalid / in filename ${name}`;
  if (name.includes('\0')) return 'Invalid NUL in filename';
  return undefined;
}

/** Errors: `path-unsafe` for an empty name, `.`, `..`, or one with a slash or NUL. */
export function checkFileName(name: string): void {
  const problem = fileNameProblem(name);
  if (problem !== undefined) throw new HacktreeError('path-unsafe', problem, { details: { found: name } });
}

/** Tells whether text is a valid ref name: components of letters, digits, `_ - .`, joined by `/`. */
export function isRefName(ref: string): boolean {
  return ref !== '' && !isChecksum(ref) && ref.split('/').every((part) => REF_COMPONENT.test(part));
}

/** Errors: `ref-invalid`. */
export function checkRefName(ref: string): void {
  if (!isRefName(ref)) throw new HacktreeError('ref-invalid', `Invalid ref name ${ref}`, { details: { found: ref } });
}

/** Errors: `ref-invalid`. A remote's name is one ref component. */
export function checkRemoteName(remote: string): void {
  if (!REF_COMPONENT.test(remote)) {
    throw new HacktreeError('ref-invalid', `Invalid remote name ${remote}`, { details: { found: remote } });
  }
}

/** Errors: `ref-invalid`. A collection ID is a D-Bus interface name of at most 255 bytes. */
export function checkCollectionId(id: string): void {
  if (!COLLECTION_ID.test(id) || id.length > 255) {
    throw new HacktreeError('ref-invalid', `Invalid collection ID ${id}`, { details: { found: id } });
  }
}

export interface Refspec {
  readonly remote: string | undefined;
  readonly ref: string;
}

/** Parses `[remote:]ref`. Errors: `ref-invalid`. */
export function parseRefspec(text: string): Refspec {
  const colon = text.indexOf(':');
  const remote = colon < 0 ? undefined : text.slice(0, colon);
  const ref = text.slice(colon + 1);
  if ((remote !== undefined && !REF_COMPONENT.test(remote)) || !isRefName(ref)) {
    throw new HacktreeError('ref-invalid', `Invalid refspec ${text}`, { details: { found: text } });
  }
  return { remote, ref };
}

/** Prints `[remote:]ref`. */
export function printRefspec({ remote, ref }: Refspec): string {
  return remote === undefined ? ref : `${remote}:${ref}`;
}
