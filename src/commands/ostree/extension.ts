/**
 * Extension commands: an unknown command `X` is the executable `ostree-X`, which gets the whole line.
 *
 * Source: ostree-cli A.0.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { constants as os } from 'node:os';
import * as path from 'node:path';

const EXTENSION_DIR = '/usr/libexec/libostree/ext';

/** Runs `ostree-NAME` and returns its exit status; undefined when there is no such program. */
export function runExtension(name: string, argv: readonly string[], env: NodeJS.ProcessEnv): number | undefined {
  if (name === '' || name.includes('/')) return undefined;
  const dirs = [EXTENSION_DIR, ...(env.PATH ?? '').split(':').filter((dir) => dir !== '')];
  const program = dirs.map((dir) => path.join(dir, `ostree-${name}`)).find(isExecutable);
  if (program === undefined) return undefined;
  const { status, signal } = spawnSync(program, argv, { stdio: 'inherit', argv0: `ostree-${name}` });
  return status ?? (signal === null ? 1 : 128 + (os.signals[signal] ?? 0));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
