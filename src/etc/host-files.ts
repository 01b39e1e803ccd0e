/**
 * Takes what makes the machine itself from the host's /etc into a new root at its first deployment, when there is no old root
 * to merge with: machine-id, hostname, adjtime, SSH host keys, hacktree's own configuration, and what the policy says is
 * always the user's (rule `user`). Planned as a merge is, so that it is shown, applied and reported alike.
 */
import * as path from 'node:path';
import { errnoOf, wrapSystemError } from '../core/index.ts';
import { readAttributes } from './attributes.ts';
import { action, copyUser, differs } from './leaf.ts';
import { makePlan } from './plan.ts';
import { comesFromHost, type EtcPolicy } from './policy.ts';
import { type EtcNode, readNames, readNode } from './tree.ts';
import type { EtcAction, EtcPlan } from './types.ts';

export interface HostFilesRequest {
  readonly hostEtcDir: string;
  /** N, the new root's defaults. */
  readonly newDefaultsDir: string;
  readonly policy: EtcPolicy;
}

/** Plans which files of the host a new root gets. Reads only. Errors: system errors. */
export function planHostFiles({ hostEtcDir, newDefaultsDir, policy }: HostFilesRequest): EtcPlan {
  const actions: EtcAction[] = [];
  const visit = (dir: string): boolean => {
    const before = actions.length;
    for (const name of readNames(path.join(hostEtcDir, dir))) {
      const at = dir === '' ? name : `${dir}/${name}`;
      const node = readNode(path.join(hostEtcDir, at));
      if (node?.type === 'directory') {
        const own = actions.length;
        if (visit(at)) actions.splice(own, 0, planWay(at, node, newDefaultsDir));
      } else if (node !== undefined && comesFromHost(policy, at)) actions.push(...planFile(at, node, newDefaultsDir));
    }
    return actions.length > before;
  };
  try {
    visit('');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw wrapSystemError(error, 'Cannot read', hostEtcDir);
  }
  const request = { defaultsDir: newDefaultsDir, userDir: hostEtcDir, newDefaultsDir, policy };
  return makePlan(request, withoutBlocked(actions));
}

/** An empty file, such as the machine-id of an image, says nothing. */
function planFile(at: string, node: EtcNode, newDefaultsDir: string): EtcAction[] {
  if (node.type === 'special' || (node.type === 'file' && node.stat.size === 0)) return [];
  const theirs = readNode(path.join(newDefaultsDir, at));
  if (theirs?.type === 'directory') return [action(at, 'ignored', 'a directory in the new defaults; not taken from the host')];
  if (!differs(node, theirs)) return [];
  return [action(at, 'keep-user', "the host's", [copyUser(at)])];
}

/** A directory on the way to what is taken; it is made where the new defaults have nothing. */
function planWay(at: string, node: EtcNode, newDefaultsDir: string): EtcAction {
  const theirs = readNode(path.join(newDefaultsDir, at));
  if (theirs?.type === 'directory') return action(at, 'unchanged', 'unchanged');
  if (theirs !== undefined) return action(at, 'ignored', 'no directory in the new defaults; not taken from the host');
  return action(at, 'keep-user', "the host's", [{ step: 'directory', to: at, attributes: readAttributes(node) }]);
}

/** Leaves out what lies below something that is no directory in the new defaults. */
function withoutBlocked(actions: readonly EtcAction[]): EtcAction[] {
  const blocked = actions.filter(({ outcome }) => outcome === 'ignored').map(({ path: at }) => `${at}/`);
  return actions.filter(({ path: at }) => !blocked.some((dir) => at.startsWith(dir)));
}
