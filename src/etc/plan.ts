/**
 * Plans the merge of /etc: walks the old defaults (D), the user's /etc (U) and the new defaults (N) side by side and
 * decides path by path. Reads only; the same three trees and policy always give the same plan.
 *
 * The rules are OSTree's (files, directories, type changes, deletions), with these differences: files that both sides
 * changed are merged (leaf.ts); attributes merge one by one, so that a chmod of a directory alone is kept; what OSTree
 * refuses (the user's file where the new default is a directory) is a conflict that does not stop a deployment.
 *
 * **Source:** ostree-cli B.4.
 */
import * as path from 'node:path';
import { compareUtf8, errnoOf, HacktreeError, isHacktreeError, wrapSystemError } from '../core/index.ts';
import { accountMerger } from './account-plan.ts';
import { isSameAttributes, mergeAttributes, readAttributes } from './attributes.ts';
import { besidePath } from './beside.ts';
import {
  action,
  aType,
  copyUser,
  differs,
  followNext,
  type MergeContext,
  planConflict,
  planLeaf,
  type Versions,
} from './leaf.ts';
import { conflictRuleFor, type EtcRule, ruleFor } from './policy.ts';
import { type EtcNode, readNames, readNode } from './tree.ts';
import type { EtcAction, EtcMergeRequest, EtcOutcome, EtcPlan, EtcStep } from './types.ts';

const TOP = '.';

/** Plans a merge. Errors: `path-not-found` when one of the three is no directory. Unreadable files are actions. */
export function planEtcMerge(request: EtcMergeRequest): EtcPlan {
  const [base, user, next] = [request.defaultsDir, request.userDir, request.newDefaultsDir].map(readTop) as [
    EtcNode,
    EtcNode,
    EtcNode,
  ];
  const context: MergeContext = { request, policy: request.policy, mergeAccounts: accountMerger(request) };
  return makePlan(request, settleBesides(planDirectory({ path: TOP, base, user, next }, undefined, context)));
}

/** Makes a plan of actions, counted and measured. */
export function makePlan(request: EtcMergeRequest, actions: readonly EtcAction[]): EtcPlan {
  const counts = { unchanged: 0, 'take-new': 0, 'keep-user': 0, merged: 0, conflict: 0, removed: 0, ignored: 0, error: 0 };
  for (const { outcome } of actions) counts[outcome]++;
  const bytes = actions.flatMap(({ steps }) => steps).reduce((sum, step) => sum + stepBytes(request, step), 0);
  return { request, actions, counts, bytes };
}

function readTop(dir: string): EtcNode {
  const node = readNode(dir);
  if (node?.type === 'directory') return node;
  throw new HacktreeError('path-not-found', `${dir} is no directory, nothing to merge there`, { details: { path: dir } });
}

/** Reads what the three sides have at a path and plans it. A file that vanishes meanwhile is looked at once more. */
function planNamed(relativePath: string, sides: Versions, context: MergeContext): EtcAction[] {
  for (let attempt = 1; ; attempt++) {
    try {
      const name = path.basename(relativePath);
      const [base, user, next] = [sides.base, sides.user, sides.next].map((dir) => readChild(dir, name));
      return planPath({ path: relativePath, base, user, next }, context);
    } catch (error) {
      if (errnoOf(error) === undefined && !isHacktreeError(error)) throw error;
      if (errnoOf(error) === 'ENOENT' && attempt === 1) continue;
      const { message } = wrapSystemError(error, 'cannot read') as Error;
      return [{ ...action(relativePath, 'error', message), isRefused: true }];
    }
  }
}

function readChild(dir: EtcNode | undefined, name: string): EtcNode | undefined {
  return dir?.type === 'directory' ? readNode(path.join(dir.path, name)) : undefined;
}

function planPath(found: Versions, context: MergeContext): EtcAction[] {
  const rule = ruleFor(context.policy, found.path);
  if (rule === 'drop') return planDropped(found);
  if (found.user?.type === 'special') return [action(found.path, 'ignored', `${aType(found.user)} is not carried over`)];
  const { path: relativePath, user } = found;
  const base = found.base?.type === 'special' ? undefined : found.base;
  const next = found.next?.type === 'special' ? undefined : found.next;
  const versions = { path: relativePath, base, next };
  if (user === undefined) return planMissing({ ...versions, user }, rule, context);
  if (user.type === 'directory') return planDirectory({ ...versions, user }, rule, context);
  if (next?.type === 'directory') return planAgainstDirectory({ ...versions, user, next }, rule, context);
  return [planLeaf({ ...versions, user }, rule, context)];
}

function planDropped({ path: relativePath, user, next }: Versions): EtcAction[] {
  if (user === undefined && next === undefined) return [];
  return [
    action(
      relativePath,
      'removed',
      'never carried over (policy)',
      next === undefined ? [] : [{ step: 'remove', to: relativePath }],
    ),
  ];
}

function planMissing(
  { path: relativePath, base, next }: Versions,
  rule: EtcRule | undefined,
  context: MergeContext,
): EtcAction[] {
  if (next === undefined) return base === undefined ? [] : [action(relativePath, 'removed', 'gone on both sides')];
  if (base === undefined || rule === 'default') return planNew({ path: relativePath, base, user: undefined, next }, context);
  const reason = treeDiffers(base, next) ? 'removed here, though its default has changed' : 'removed here';
  return [action(relativePath, 'removed', reason, [{ step: 'remove', to: relativePath }])];
}

/** The new default as it is, with all below it, where the user has nothing to say. */
function planNew({ path: relativePath, base, next }: Versions, context: MergeContext): EtcAction[] {
  return [
    followNext(relativePath, base, next),
    ...planChildren({ path: relativePath, base: undefined, user: undefined, next }, context),
  ];
}

function planChildren(versions: Versions, context: MergeContext): EtcAction[] {
  const names = new Set<string>();
  for (const dir of [versions.user, versions.next, versions.base]) {
    if (dir?.type === 'directory') for (const name of readNames(dir.path)) names.add(name);
  }
  const prefix = versions.path === TOP ? '' : `${versions.path}/`;
  return [...names].sort(compareUtf8).flatMap((name) => planNamed(prefix + name, versions, context));
}

/** A file or symlink of the user's where the new default is a directory. */
function planAgainstDirectory(
  versions: Versions & { readonly user: EtcNode; readonly next: EtcNode },
  rule: EtcRule | undefined,
  context: MergeContext,
): EtcAction[] {
  const { path: relativePath, base, user } = versions;
  if (rule === 'user') return [action(relativePath, 'keep-user', 'always kept as it is (policy)', [copyUser(relativePath)])];
  if (!differs(base, user) || rule === 'default') return planNew(versions, context);
  const reason = `${aType(user)} here, a directory in the new defaults`;
  const conflictRule = conflictRuleFor(context.policy, rule);
  if (base?.type === 'directory') {
    if (treeDiffers(base, versions.next)) return [planConflict(versions, `${reason}, which have changed`, context, conflictRule)];
    return [action(relativePath, 'keep-user', 'replaced its directory here, default unchanged', [copyUser(relativePath)])];
  }
  const conflict = planConflict(versions, reason, context, 'new');
  const refused = conflictRule === 'fail' ? { isRefused: true as const } : {};
  return [{ ...conflict, ...refused }, ...planNew(versions, context).slice(1)];
}

type UserDirectory = Versions & { readonly user: EtcNode };

/** A directory of the user's, and all in it. */
function planDirectory(versions: UserDirectory, rule: EtcRule | undefined, context: MergeContext): EtcAction[] {
  const { next } = versions;
  if (next === undefined) return planDroppedDirectory(versions, context);
  if (next.type !== 'directory') return planTurnedDirectory({ ...versions, next }, rule, context);
  return [planDirectoryItself({ ...versions, next }, rule, context), ...planChildren(versions, context)];
}

/** The attributes of a directory that both the user and the new defaults have. */
function planDirectoryItself(
  { path: relativePath, base, user, next }: UserDirectory & { readonly next: EtcNode },
  rule: EtcRule | undefined,
  context: MergeContext,
): EtcAction {
  if (rule === 'default' || !differs(base, user)) return followNext(relativePath, base, next);
  if (isSameAttributes(user, next)) return action(relativePath, 'unchanged', 'the same here and in the new defaults');
  const conflictRule = conflictRuleFor(context.policy, rule);
  const sides = {
    base: base?.type === 'directory' ? readAttributes(base) : undefined,
    user: readAttributes(user),
    next: readAttributes(next),
  };
  const { merged, fromNext, conflicts } = mergeAttributes(sides, conflictRule === 'new' ? 'next' : 'user');
  const steps: EtcStep[] = [{ step: 'attributes', to: relativePath, attributes: rule === 'user' ? sides.user : merged }];
  if (rule === 'user') return action(relativePath, 'keep-user', 'always kept as it is (policy)', steps);
  if (conflicts.length > 0) {
    const conflict = action(
      relativePath,
      'conflict',
      "the directory's owner, mode or attributes were changed on both sides",
      steps,
    );
    return { ...conflict, details: conflicts, ...(conflictRule === 'fail' ? { isRefused: true } : {}) };
  }
  if (fromNext.length > 0)
    return action(relativePath, 'merged', "the directory's attributes were changed on both sides, merged", steps);
  return action(relativePath, 'keep-user', "the directory's owner, mode or attributes were changed here", steps);
}

/** The new defaults have nothing there: what the user changed or added stays, with the directories that lead to it. */
function planDroppedDirectory(versions: UserDirectory, context: MergeContext): EtcAction[] {
  const { path: relativePath, base, user } = versions;
  const children = planChildren(versions, context);
  const steps: EtcStep[] = [makeDirectory(relativePath, user)];
  if (base?.type !== 'directory') return [action(relativePath, 'keep-user', 'added here', steps), ...children];
  if (!isSameAttributes(base, user)) {
    return [action(relativePath, 'keep-user', 'changed here; the new version has it no more', steps), ...children];
  }
  if (hasUserChange(children))
    return [action(relativePath, 'keep-user', 'holds local changes; the new version has it no more', steps), ...children];
  return [followNext(relativePath, base, undefined), ...children];
}

/** The new default is a file or symlink. */
function planTurnedDirectory(
  versions: UserDirectory & { readonly next: EtcNode },
  rule: EtcRule | undefined,
  context: MergeContext,
): EtcAction[] {
  const { path: relativePath, base, user, next } = versions;
  if (rule === 'default')
    return [action(relativePath, 'take-new', 'always the new default (policy); the local directory is not carried over')];
  const children = planChildren({ ...versions, next: undefined }, context);
  const conflictRule = rule === 'user' ? 'keep' : conflictRuleFor(context.policy, rule);
  const refused = conflictRule === 'fail' ? { isRefused: true as const } : {};
  const reason = `a directory here, ${aType(next)} in the new defaults`;
  if (base?.type === 'directory' && !hasUserChange(children)) {
    if (isSameAttributes(base, user)) return [followNext(relativePath, base, next)];
    return [
      { ...action(relativePath, 'conflict', `${reason}; only its owner, mode or attributes were changed here`), ...refused },
    ];
  }
  const steps: EtcStep[] = [makeDirectory(relativePath, user)];
  if (!differs(base, next))
    return [action(relativePath, 'keep-user', 'turned into a directory here, default unchanged', steps), ...children];
  const beside = besidePath(context.request, relativePath, conflictRule === 'new' ? 'user' : 'new');
  const conflict = { ...action(relativePath, 'conflict', reason), ...refused, ...(beside === undefined ? {} : { beside }) };
  if (conflictRule === 'new') return [{ ...conflict, steps: beside === undefined ? [] : [copyUser(relativePath, beside)] }];
  if (beside !== undefined) steps.push({ step: 'copy', from: 'new', path: relativePath, to: beside });
  return [{ ...conflict, steps }, ...children];
}

function makeDirectory(relativePath: string, user: EtcNode): EtcStep {
  return { step: 'directory', to: relativePath, attributes: readAttributes(user) };
}

function hasUserChange(actions: readonly EtcAction[]): boolean {
  const isChange: readonly EtcOutcome[] = ['keep-user', 'merged', 'conflict', 'error'];
  return actions.some(({ outcome }) => isChange.includes(outcome));
}

function treeDiffers(a: EtcNode, b: EtcNode): boolean {
  if (differs(a, b)) return true;
  if (a.type !== 'directory') return false;
  const names = readNames(a.path);
  const others = readNames(b.path);
  return names.length !== others.length || names.some((name, i) => name !== others[i] || childDiffers(a, b, name));
}

function childDiffers(a: EtcNode, b: EtcNode, name: string): boolean {
  const x = readChild(a, name);
  const y = readChild(b, name);
  return x === undefined || y === undefined || treeDiffers(x, y);
}

/** A new default kept beside takes the place of one that an earlier merge left there. */
function settleBesides(actions: readonly EtcAction[]): EtcAction[] {
  const besides = new Set(actions.flatMap(({ beside }) => (beside === undefined ? [] : [beside])));
  if (besides.size === 0) return [...actions];
  const isWithin = (at: string): boolean => at !== TOP && (besides.has(at) || isWithin(path.dirname(at)));
  return actions.map((one) => (isWithin(one.path) ? action(one.path, 'take-new', 'replaced by a newer one') : one));
}

function stepBytes(request: EtcMergeRequest, step: EtcStep): number {
  if (step.step === 'write') return step.content.length;
  if (step.step !== 'copy') return 0;
  return treeBytes(readNode(path.join(step.from === 'user' ? request.userDir : request.newDefaultsDir, step.path)));
}

function treeBytes(node: EtcNode | undefined): number {
  if (node?.type === 'file') return node.stat.size;
  if (node?.type !== 'directory') return 0;
  return readNames(node.path).reduce((sum, name) => sum + treeBytes(readChild(node, name)), 0);
}
