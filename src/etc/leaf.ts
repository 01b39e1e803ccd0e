/**
 * Decides about one file or symlink of the user's: whose content and attributes the new root gets.
 *
 * Unchanged by the user: the new default. Changed by the user alone: the user's. Changed by both: merged, content and
 * attributes apart; where that fails, a conflict, in which the policy names the winner and the other is kept beside it.
 */
import type { AccountMerge } from './account-merge.ts';
import { type AttributeMerge, isSameAttributes, mergeAttributes, readAttributes } from './attributes.ts';
import { besidePath } from './beside.ts';
import { mergeByLines } from './line-merge.ts';
import { type ConflictRule, conflictRuleFor, type EtcPolicy, type EtcRule } from './policy.ts';
import { type EtcNode, isSameContent, readContent } from './tree.ts';
import type { EtcAction, EtcMergeRequest, EtcStep } from './types.ts';
import { isText } from './unified-diff.ts';

/** The three sides of one path; undefined where nothing stands there. */
export interface Versions {
  /** Relative to /etc. */
  readonly path: string;
  readonly base: EtcNode | undefined;
  readonly user: EtcNode | undefined;
  readonly next: EtcNode | undefined;
}

/** What deciding about a path needs besides the path. */
export interface MergeContext {
  readonly request: EtcMergeRequest;
  readonly policy: EtcPolicy;
  /** The merge of an account file at the top of /etc; undefined for other files. */
  mergeAccounts(path: string): AccountMerge | undefined;
}

/** Larger files are not merged by lines. */
const MAX_MERGE_BYTES = 8 << 20;

/** Tells whether two nodes differ in type, content or attributes; a missing one differs from any. */
export function differs(a: EtcNode | undefined, b: EtcNode | undefined): boolean {
  if (a === undefined || b === undefined) return a !== b;
  return !isSameContent(a, b) || !isSameAttributes(a, b);
}

/** Makes the action for a path that the user left as it was: the new default, whatever it is. */
export function followNext(path: string, base: EtcNode | undefined, next: EtcNode | undefined): EtcAction {
  if (next === undefined) return action(path, 'take-new', 'the new version has it no more');
  if (base === undefined) return action(path, 'take-new', 'new in this version');
  return differs(base, next) ? action(path, 'take-new', 'new default') : action(path, 'unchanged', 'unchanged');
}

/** Makes an action without or with steps. */
export function action(path: string, outcome: EtcAction['outcome'], reason: string, steps: readonly EtcStep[] = []): EtcAction {
  return { path, outcome, reason, steps };
}

/** Makes the step that copies the user's file or symlink, or directory with all in it. */
export function copyUser(path: string, to: string = path): EtcStep {
  return { step: 'copy', from: 'user', path, to };
}

/** Decides about a file or symlink in U where N has a file, a symlink or nothing. */
export function planLeaf(
  versions: Versions & { readonly user: EtcNode },
  rule: EtcRule | undefined,
  context: MergeContext,
): EtcAction {
  const { path, base, user, next } = versions;
  if (rule === 'user') {
    if (!differs(user, next)) return action(path, 'unchanged', 'unchanged');
    return action(path, 'keep-user', 'always kept as it is (policy)', [copyUser(path)]);
  }
  if (!differs(base, user)) return followNext(path, base, next);
  if (rule === 'default' && next !== undefined) {
    return action(path, 'take-new', 'always the new default (policy); the local change is not carried over');
  }
  const isAdded = base === undefined;
  if (next === undefined) {
    return action(path, 'keep-user', isAdded ? 'added here' : 'changed here; the new version has it no more', [copyUser(path)]);
  }
  if (!differs(user, next)) return action(path, 'unchanged', 'the new default is the same as the local change');
  if (!differs(base, next)) return action(path, 'keep-user', 'changed here, default unchanged', [copyUser(path)]);
  return planBothChanged({ path, base, user, next }, rule, context);
}

interface BothChanged {
  readonly path: string;
  readonly base: EtcNode | undefined;
  readonly user: EtcNode;
  readonly next: EtcNode;
}

function planBothChanged(sides: BothChanged, rule: EtcRule | undefined, context: MergeContext): EtcAction {
  const { path, user, next } = sides;
  const conflictRule = conflictRuleFor(context.policy, rule);
  if (user.type !== next.type)
    return planConflict(sides, `${aType(user)} here, ${aType(next)} in the new defaults`, context, conflictRule);
  const base = sides.base?.type === user.type ? sides.base : undefined;
  const content = mergeContent({ ...sides, base }, rule, context);
  const attributes = mergeAttributes(
    { base: base && readAttributes(base), user: readAttributes(user), next: readAttributes(next) },
    conflictRule === 'new' ? 'next' : 'user',
  );
  if (content.from === 'neither') {
    const conflict = planConflict(sides, content.reason, context, conflictRule);
    if (conflictRule === 'new') return { ...conflict, details: content.details };
    const steps = conflict.steps.map((step) =>
      step.step === 'copy' && step.from === 'user' ? { ...step, attributes: attributes.merged } : step,
    );
    return { ...conflict, details: [...content.details, ...attributes.conflicts], steps };
  }
  const to = { to: path, attributes: attributes.merged };
  const steps: EtcStep[] = [];
  if (content.from === 'both') steps.push({ step: 'write', content: content.bytes, ...to });
  else if (content.from === 'user') steps.push({ step: 'copy', from: 'user', path, ...to });
  else steps.push({ step: 'attributes', ...to });
  const conflicts = [...(content.from === 'both' ? content.conflicts : []), ...attributes.conflicts];
  if (conflicts.length > 0) return keepBesideIfNeeded({ path, conflicts, steps, conflictRule }, content, context);
  return { path, ...describeMerge(content, attributes), steps };
}

type ContentMerge =
  | { readonly from: 'next' | 'user' }
  | { readonly from: 'both'; readonly bytes: Buffer; readonly conflicts: readonly string[] }
  | { readonly from: 'neither'; readonly reason: string; readonly details: readonly string[] };

function mergeContent({ path, base, user, next }: BothChanged, rule: EtcRule | undefined, context: MergeContext): ContentMerge {
  if (isSameContent(user, next)) return { from: 'next' };
  if (base !== undefined && isSameContent(base, user)) return { from: 'next' };
  if (base !== undefined && isSameContent(base, next)) return { from: 'user' };
  const neither = (reason: string, details: readonly string[] = []): ContentMerge => ({ from: 'neither', reason, details });
  if (user.type === 'symlink') return neither('the symlink was changed both here and in the new defaults');
  if (rule === 'whole') return neither('changed both here and in the new defaults, and not to be merged (policy)');
  const accounts = context.mergeAccounts(path);
  if (accounts !== undefined) return { from: 'both', bytes: Buffer.from(accounts.text, 'latin1'), conflicts: accounts.conflicts };
  if (base === undefined) return neither('added both here and in the new defaults');
  if ([base, user, next].some(({ stat }) => stat.size > MAX_MERGE_BYTES))
    return neither('changed on both sides and too large to merge');
  const versions = { base: readContent(base), user: readContent(user), next: readContent(next) };
  if (!Object.values(versions).every(isText)) return neither('a binary file was changed both here and in the new defaults');
  const { merged, conflictLines } = mergeByLines(versions);
  if (merged !== undefined) return { from: 'both', bytes: merged, conflicts: [] };
  const lines = conflictLines.join(', ');
  return neither('the same lines were changed both here and in the new defaults', [`line ${lines} of the local file`]);
}

/** Attribute conflicts need nothing kept beside; those of account files do. */
function keepBesideIfNeeded(
  {
    path,
    conflicts,
    steps,
    conflictRule,
  }: { path: string; conflicts: readonly string[]; steps: EtcStep[]; conflictRule: ConflictRule },
  content: ContentMerge,
  context: MergeContext,
): EtcAction {
  const hasAccountConflict = content.from === 'both' && content.conflicts.length > 0;
  const beside = hasAccountConflict ? besidePath(context.request, path, 'new') : undefined;
  return {
    path,
    outcome: 'conflict',
    reason: hasAccountConflict
      ? 'accounts are in conflict; the local ones stand'
      : 'owner, mode or attributes were changed on both sides',
    details: conflicts,
    ...(beside === undefined ? {} : { beside }),
    ...(conflictRule === 'fail' ? { isRefused: true } : {}),
    steps: beside === undefined ? steps : [...steps, { step: 'copy', from: 'new', path, to: beside }],
  };
}

function describeMerge(content: ContentMerge, attributes: AttributeMerge): Pick<EtcAction, 'outcome' | 'reason' | 'details'> {
  if (content.from === 'both')
    return { outcome: 'merged', reason: 'changed on both sides, merged', details: attributeDetails(attributes) };
  const details = attributeDetails(attributes);
  if (content.from === 'user')
    return { outcome: 'merged', reason: 'content from here, attributes from the new defaults', details };
  const reason =
    attributes.fromUser.length > 0
      ? 'new default with the owner, mode or attributes set here'
      : 'new default, which has the local change';
  return { outcome: 'merged', reason, details };
}

function attributeDetails({ fromUser, fromNext }: AttributeMerge): string[] {
  return [...fromUser.map((name) => `${name} as set here`), ...fromNext.map((name) => `${name} as in the new defaults`)];
}

/** Makes the action of a conflict in which one side wins whole and the other is kept beside it. */
export function planConflict(
  { path }: { readonly path: string },
  reason: string,
  context: MergeContext,
  conflictRule: ConflictRule,
): EtcAction {
  const beside = besidePath(context.request, path, conflictRule === 'new' ? 'user' : 'new');
  const steps: EtcStep[] = conflictRule === 'new' ? [] : [copyUser(path)];
  if (beside !== undefined) steps.push({ step: 'copy', from: conflictRule === 'new' ? 'user' : 'new', path, to: beside });
  return {
    path,
    outcome: 'conflict',
    reason,
    ...(beside === undefined ? {} : { beside }),
    ...(conflictRule === 'fail' ? { isRefused: true } : {}),
    steps,
  };
}

/** Names a node's type for people. */
export function aType(node: EtcNode): string {
  return { file: 'a file', directory: 'a directory', symlink: 'a symlink', special: 'a device, FIFO or socket' }[node.type];
}
