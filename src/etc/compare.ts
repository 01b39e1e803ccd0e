/** What differs between two trees of /etc on disk: the local changes against the defaults, or one root against another. */
import * as path from 'node:path';
import { compareUtf8, errnoOf } from '../core/index.ts';
import { type Attributes, isSameAttributes, readAttributes } from './attributes.ts';
import { type EtcNode, isSameContent, type NodeType, readContent, readNames, readNode, readTarget } from './tree.ts';
import { printUnifiedDiff } from './unified-diff.ts';

export interface EtcDifference {
  /** Relative to /etc. */
  readonly path: string;
  /** `attributes`: only owner, mode or xattrs. `unreadable`: the caller may not look. */
  readonly change: 'added' | 'removed' | 'modified' | 'attributes' | 'unreadable';
}

/** Lists what differs, in path order; of what was added or removed as a directory, the directory and all in it. */
export function compareEtc(fromDir: string, toDir: string): EtcDifference[] {
  const differences: EtcDifference[] = [];
  const visit = (relativePath: string): void => {
    try {
      const [from, to] = [fromDir, toDir].map((dir) => readNode(path.join(dir, relativePath)));
      const change = changeOf(from, to);
      if (change !== undefined && relativePath !== '') differences.push({ path: relativePath, change });
      for (const name of childNames(from, to)) visit(relativePath === '' ? name : `${relativePath}/${name}`);
    } catch (error) {
      if (errnoOf(error) !== 'EACCES') throw error;
      differences.push({ path: relativePath === '' ? '.' : relativePath, change: 'unreadable' });
    }
  };
  visit('');
  return differences;
}

/** What stands at a path on one side of a difference. */
export interface EtcSide {
  readonly type: NodeType;
  /** A file's bytes or a symlink's target; empty for anything else. */
  readonly content: Buffer;
  readonly attributes: Attributes;
}

/** Prints one path's difference: attributes as words, content as a unified diff; empty when there is none. */
export function printEtcDifference(fromDir: string, toDir: string, relativePath: string): string {
  const [from, to] = [fromDir, toDir].map((dir) => readNode(path.join(dir, relativePath)));
  return printSides(relativePath, from && sideOf(from), to && sideOf(to));
}

/** Prints the difference of two sides, undefined where nothing is, as printEtcDifference does. */
export function printSides(relativePath: string, from: EtcSide | undefined, to: EtcSide | undefined): string {
  const names = {
    from: from === undefined ? '/dev/null' : `a/${relativePath}`,
    to: to === undefined ? '/dev/null' : `b/${relativePath}`,
  };
  const before = from === undefined ? '' : describe(from);
  const after = to === undefined ? '' : describe(to);
  const isNoted = from !== undefined && to !== undefined && before !== after;
  return `${isNoted ? `${relativePath}: ${before} -> ${after}\n` : ''}${printUnifiedDiff(textOf(from), textOf(to), names)}`;
}

/** Reads what stands at a path. */
export function sideOf(node: EtcNode): EtcSide {
  const content = node.type === 'file' ? readContent(node) : node.type === 'symlink' ? readTarget(node) : Buffer.alloc(0);
  return { type: node.type, content, attributes: readAttributes(node) };
}

function changeOf(from: EtcNode | undefined, to: EtcNode | undefined): EtcDifference['change'] | undefined {
  if (from === undefined) return to === undefined ? undefined : 'added';
  if (to === undefined) return 'removed';
  if (!isSameContent(from, to)) return 'modified';
  return isSameAttributes(from, to) ? undefined : 'attributes';
}

function childNames(...dirs: readonly (EtcNode | undefined)[]): string[] {
  const names = dirs.flatMap((dir) => (dir?.type === 'directory' ? readNames(dir.path) : []));
  return [...new Set(names)].sort(compareUtf8);
}

function describe({ type, attributes: { uid, gid, mode, xattrs } }: EtcSide): string {
  const bits = type === 'symlink' ? '' : ` ${mode.toString(8).padStart(4, '0')}`;
  const more = Array.from(xattrs, ([name, value]) => ` ${name}=0x${value.toString('hex')}`).join('');
  return `${type}${bits} ${uid}:${gid}${more}`;
}

function textOf(side: EtcSide | undefined): Buffer {
  if (side === undefined) return Buffer.alloc(0);
  return side.type === 'symlink' ? Buffer.concat([side.content, Buffer.from('\n')]) : side.content;
}
