/**
 * The system's repository inside a deployed root, where it is a read-only view: a command run by root starts again in a mount
 * namespace of its own, in which it can be written to. Nobody else sees that.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { errnoOf } from '../core/index.ts';
import type { Context } from './context.ts';

/** Made by the initramfs of a deployed root. */
const BOOTED_FILE = '/run/hacktree/booted';

/** Starts the command again where the repository is writable, and ends with its status; returns where that is not needed. */
export async function makeRepoWritable(context: Context): Promise<void> {
  if (process.geteuid?.() !== 0 || !existsSync(BOOTED_FILE) || !isReadOnly(context)) return;
  const { needsOwnNamespace, runInOwnNamespace } = await import('../deploy/index.ts');
  const request = { directory: '/', environment: context.surroundings.env, argv: process.argv };
  if (!needsOwnNamespace(request)) return;
  const { endProcess } = await import('./end-process.ts');
  endProcess(runInOwnNamespace(request));
}

function isReadOnly(context: Context): boolean {
  try {
    accessSync(context.repoPath, constants.W_OK);
    return false;
  } catch (error) {
    return errnoOf(error) === 'EROFS';
  }
}
