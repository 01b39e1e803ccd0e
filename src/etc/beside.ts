/**
 * The side of a conflict that did not win, kept beside the one that did: `NAME.hacktree-new` is the new default,
 * `NAME.hacktree-user` the user's. They are how a conflict is known until somebody resolves it, across further updates.
 */
import * as path from 'node:path';
import { readNode } from './tree.ts';
import type { EtcMergeRequest } from './types.ts';

export type BesideKind = 'new' | 'user';

const SUFFIX: Readonly<Record<BesideKind, string>> = { new: '.hacktree-new', user: '.hacktree-user' };
const BESIDE_NAME = /^(.+)\.hacktree-(new|user)(?:-\d+)?$/s;
const MAX_NAME_BYTES = 255;

/**
 * Chooses the path at which to keep a side. A new default replaces an older one left there; the user's never replaces
 * anything. Undefined when the name would be too long for a file system.
 */
export function besidePath(request: EtcMergeRequest, relativePath: string, kind: BesideKind): string | undefined {
  for (let copy = 1; ; copy++) {
    const beside = `${relativePath}${SUFFIX[kind]}${copy === 1 ? '' : `-${copy}`}`;
    if (Buffer.byteLength(path.basename(beside)) > MAX_NAME_BYTES) return undefined;
    const isTaken = [request.userDir, request.newDefaultsDir].some((dir) => readNode(path.join(dir, beside)) !== undefined);
    if (kind === 'new' || !isTaken) return beside;
  }
}

/** Tells which path and side a kept file belongs to; undefined when the name is not one of ours. */
export function parseBeside(relativePath: string): { readonly path: string; readonly kind: BesideKind } | undefined {
  const match = BESIDE_NAME.exec(path.basename(relativePath));
  if (match === null) return undefined;
  const name = match[1] as string;
  const dir = path.dirname(relativePath);
  return { path: dir === '.' ? name : `${dir}/${name}`, kind: match[2] as BesideKind };
}
