/**
 * A delta as it lies on disk: its superblock, signed or not, and its parts beside it or inside.
 *
 * Source: ostree-format 10.1, 10.2.
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { HacktreeError, isHacktreeError, wrapSystemError } from '../../core/index.ts';
import {
  type DeltaName,
  type DeltaPart,
  type Dict,
  decodeSignedDelta,
  decodeSuperblock,
  inlinePart,
  isSignedDelta,
  type PartFile,
  type Superblock,
} from '../../format/index.ts';
import type { Repo } from '../../repo/index.ts';
import { superblockPath } from './files.ts';
import { readPartFile } from './pack.ts';

export interface StoredDelta {
  readonly path: string;
  /** The bytes that signatures are about. */
  readonly bytes: Buffer;
  readonly block: Superblock;
  /** Undefined when the delta is not signed. */
  readonly signatures: Dict | undefined;
}

/** Opens a delta of the repository by its name, or a superblock anywhere by its path. Errors: `path-not-found`, `delta-invalid`. */
export function openDelta(repo: Repo, place: DeltaName | { readonly path: string }): StoredDelta {
  const path = 'path' in place ? superblockIn(place.path) : superblockPath(repo, place);
  try {
    const raw = fs.readFileSync(path);
    const signed = isSignedDelta(raw) ? decodeSignedDelta(raw) : undefined;
    const bytes = signed?.superblock ?? raw;
    return { path, bytes, block: decodeSuperblock(bytes), signatures: signed?.signatures };
  } catch (error) {
    if (!isHacktreeError(error)) throw wrapSystemError(error, 'Opening', path);
    throw new HacktreeError('delta-invalid', `${path}: ${error.message}`, { details: { path }, cause: error });
  }
}

/** A directory stands for the superblock in it. */
function superblockIn(path: string): string {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, 'superblock') : path;
}

/** Reads a part, checked against its description. Errors: `path-not-found`, `delta-invalid`. */
export function readPart({ path, block }: StoredDelta, index: number): { file: PartFile; part: DeltaPart } {
  const part = block.parts[index];
  if (part === undefined) throw new HacktreeError('internal', `A delta has no part ${index}`);
  const inside = inlinePart(block, index);
  if (inside !== undefined) return { file: inside, part };
  const file = join(dirname(path), String(index));
  try {
    return { file: readPartFile(fs.readFileSync(file), part), part };
  } catch (error) {
    throw wrapSystemError(error, 'Opening', file);
  }
}
