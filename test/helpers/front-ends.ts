/** Runs the drop-in `ostree` beside the real one on equal repositories. */
import { join } from 'node:path';
import { PROJECT_DIR, type RunOptions, type RunResult, run } from './run.ts';

/** The drop-in that users link as `ostree`. It needs dist/. */
export const OSTREE_JS = join(PROJECT_DIR, 'bin/ostree.js');

/** Runs bin/ostree.js. */
export function dropIn(args: readonly string[], options: RunOptions = {}): RunResult {
  return run(process.execPath, [OSTREE_JS, ...args], options);
}

/** Copies a repository with all that a repository keeps in inodes. */
export function copyRepo(from: string, to: string): void {
  const { status, stderr } = run('cp', ['-a', from, to]);
  if (status !== 0) throw new Error(stderr);
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  /** The last line of standard error, where the message is. */
  readonly message: string;
}

/** What a script can see of a run. */
export function outcome({ status, stdout, stderr }: RunResult): Outcome {
  return { status, stdout, message: stderr.trimEnd().split('\n').at(-1) ?? '' };
}

/** Runs a line with the drop-in and with the real ostree, each in its own directory, whose name reads `DIR` in what they say. */
export function both(
  args: readonly string[],
  dirs: { real: string; ours: string },
  options: RunOptions = {},
): [Outcome, Outcome] {
  const plain = ({ status, stdout, message }: Outcome, dir: string): Outcome => ({
    status,
    stdout: stdout.replaceAll(dir, 'DIR'),
    message: message.replaceAll(dir, 'DIR'),
  });
  const ours = outcome(dropIn(args, { ...options, cwd: dirs.ours }));
  const real = outcome(run('ostree', args, { ...options, cwd: dirs.real }));
  return [plain(ours, dirs.ours), plain(real, dirs.real)];
}
