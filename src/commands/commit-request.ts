/** From the options of `commit` to the request that the repository understands. */
import * as fs from 'node:fs';
import { isChecksum, parseRefspec, printRefspec, wrapSystemError } from '../core/index.ts';
import {
  type CommitOptions,
  parseDate,
  parseIdMap,
  parseSkipList,
  parseStatOverrides,
  parseVariantText,
  type TreeSource,
} from '../repo/index.ts';
import type { Context } from './context.ts';
import { readSourceDate } from './environment.ts';
import { splitPair, usageError } from './input.ts';
import type { Input } from './spec.ts';
import type { commit } from './table/commit.ts';

export type CommitInput = Input<typeof commit>;

/** Makes the request, without texts, signatures and what belongs to the run. Errors: `usage`, `path-not-found`, `not-supported`. */
export function readCommitRequest(context: Context, input: CommitInput): CommitOptions {
  if (input.branch === undefined && !input.orphan) throw usageError('A branch must be specified with --branch, or use --orphan');
  const trees = readTrees(context, input);
  const [first] = trees;
  const fromFirst = input.selinuxPolicyFromBase;
  return {
    branch: readBranch(context, input),
    parent: readParent(input.parent) ?? (input.orphan ? 'none' : undefined),
    trees,
    base: input.base,
    timestampSec: readTimestamp(context, input.timestamp),
    ...readMetadata(input),
    ...readModifiers(input),
    // The policy of the first tree: a directory as it is, anything else out of its commit.
    selinuxPolicy: fromFirst && first?.kind === 'dir' ? first.path : input.selinuxPolicy,
    selinuxPolicyFromBase: fromFirst && first?.kind !== 'dir',
    tarAutocreateParents: input.tarAutocreateParents,
    tarPathnameFilter: trees.some(({ kind }) => kind === 'tar') ? readFilter(input.tarPathnameFilter) : undefined,
    bootable: input.bootable,
    generateSizes: input.generateSizes,
    skipIfUnchanged: input.skipIfUnchanged,
    linkCheckoutSpeedup: input.linkCheckoutSpeedup,
    devinoCanonical: input.devinoCanonical,
    link: input.link,
    consume: input.consume,
    statCache: !input.noStatCache,
    strictIds: input.strictIds,
    fsync: input.disableFsync ? false : input.fsync,
    ...(input.threads === undefined ? {} : { threads: input.threads }),
  };
}

/** To ostree --orphan only means "no parent" when a branch is given too. */
function readBranch(context: Context, { branch, orphan }: CommitInput): string | undefined {
  if (orphan && branch !== undefined && context.frontEnd === 'hacktree')
    throw usageError('--orphan and --branch exclude each other');
  return branch === undefined ? undefined : printRefspec(parseRefspec(branch));
}

function readParent(text: string | undefined): CommitOptions['parent'] {
  if (text === undefined || text === 'none' || isChecksum(text)) return text;
  throw usageError(`Invalid rev ${text}`, [
    '--parent takes a whole checksum or none; `hacktree rev-parse` gives the checksum of a ref.',
  ]);
}

function readTrees(context: Context, { tree, path }: CommitInput): TreeSource[] {
  if (tree.length === 0) return [{ kind: 'dir', path: path ?? '.' }];
  if (path !== undefined && context.frontEnd === 'hacktree')
    throw usageError('PATH and --tree exclude each other', ['Use --tree=dir=PATH.']);
  return tree.map(readTree);
}

function readTree(text: string): TreeSource {
  const hints = ['Write --tree=dir=PATH, tar=FILE or ref=REV.'];
  const [kind, rest] = splitPair(text, `Missing type in tree specification '${text}'`, hints);
  if (kind === 'ref') return { kind, rev: rest };
  if (kind === 'dir' || kind === 'tar') return { kind, path: rest };
  throw usageError(`Invalid tree type specification '${kind}'`, hints);
}

function readTimestamp({ surroundings: { env } }: Context, text: string | undefined): bigint | undefined {
  if (text !== undefined) return BigInt.asUintN(64, parseDate(text, { nowSec: Math.floor(Date.now() / 1000) }));
  return readSourceDate(env);
}

function readMetadata(input: CommitInput): Partial<CommitOptions> {
  return {
    metadataStrings: input.addMetadataString.map(splitMetadata),
    metadata: input.addMetadata.map((text) => {
      const [key, value] = splitMetadata(text);
      return [key, parseVariantText(value)] as const;
    }),
    keepMetadata: input.keepMetadata,
    detachedStrings: input.addDetachedMetadataString.map(splitMetadata),
    bindings: !input.noBindings,
    bindRefs: input.bindRef,
  };
}

/** `KEY=VALUE`. Errors: `usage`. */
function splitMetadata(text: string): [string, string] {
  const pair = splitPair(text, `Missing '=' in KEY=VALUE metadata '${text}'`);
  if (pair[0] === '') throw usageError('Empty metadata key');
  return pair;
}

function readModifiers(input: CommitInput): Partial<CommitOptions> {
  return {
    ownerUid: owner(input.ownerUid),
    ownerGid: owner(input.ownerGid),
    canonicalPermissions: input.canonicalPermissions,
    readOnlyExecutables: input.modeRoExecutables,
    noXattrs: input.noXattrs,
    skipSpecial: input.skipSpecial,
    ...(input.statoverride === undefined
      ? {}
      : { statOverrides: parseStatOverrides(readText(input.statoverride), input.statoverride) }),
    ...(input.skipList === undefined ? {} : { skipList: parseSkipList(readText(input.skipList)) }),
    ...(input.idMap === undefined ? {} : { idMap: parseIdMap(readText(input.idMap), input.idMap) }),
  };
}

/** -1 stands for "as it is". */
function owner(id: number | undefined): number | undefined {
  return id === undefined || id < 0 ? undefined : id;
}

/** `REGEX,REPLACEMENT`. Errors: `usage`. */
function readFilter(text: string | undefined): CommitOptions['tarPathnameFilter'] {
  if (text === undefined) return undefined;
  const comma = text.indexOf(',');
  if (comma > 0) return { pattern: text.slice(0, comma), replacement: text.slice(comma + 1) };
  throw usageError(`Bad option for tar-pathname-filter: '${text}'`, ['Write REGEX,REPLACEMENT.']);
}

/** Reads a small text file. Errors: `path-not-found`, `permission`, `io`. */
export function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw wrapSystemError(error, 'Reading', path);
  }
}
