/** Running programs in tests: status and output as values, and an honest answer to a missing tool. */
import { type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Top folder of the project; tests run from build/test. */
export const PROJECT_DIR = join(import.meta.dirname, '../../..');

/** The command that users run. It needs dist/, which `npm test` and `npm run build` make. */
export const HACKTREE = join(PROJECT_DIR, 'bin/hacktree.js');

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Record<string, string | undefined>;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** Exit status; 128 + number when a signal ended it, as in a shell. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_OUTPUT_BYTES = 1 << 28;
const SIGNAL_NUMBERS: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** Runs a program to its end and returns what it did. Throws only when it cannot be started or takes longer than the timeout. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): RunResult {
  const { stdout, ...result } = runBytes(command, args, options);
  return { ...result, stdout: stdout.toString() };
}

/** As run(), with standard output as bytes. */
export function runBytes(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): { status: number; stdout: Buffer; stderr: string } {
  const spawnOptions: SpawnSyncOptions = {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...options.env },
    input: options.input ?? '',
    timeout: options.timeoutMs ?? 300_000,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT_BYTES,
  };
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, spawnOptions);
  if (error !== undefined) throw new Error(`${command} ${args.join(' ')}: ${error.message}`);
  return { status: status ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0), stdout: stdout as Buffer, stderr: stderr.toString() };
}

/** Runs a program that must succeed and returns its standard output without the last newline. */
export function runOk(command: string, args: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = run(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout.replace(/\n$/, '');
}

/** Runs bin/hacktree.js. */
export function hacktree(args: readonly string[], options: RunOptions = {}): RunResult {
  return run(process.execPath, [HACKTREE, ...args], options);
}

/** Runs bin/hacktree.js, which must succeed, and returns its standard output without the last newline. */
export function hacktreeOk(args: readonly string[], options: RunOptions = {}): string {
  return runOk(process.execPath, [HACKTREE, ...args], options);
}

/** Runs bin/hacktree.js while this process goes on, for example to serve it. */
export function hacktreeMeanwhile(args: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
  const child = spawn(process.execPath, [HACKTREE, ...args], {
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return chunks;
  });
  const text = (chunks: Buffer[] | undefined): string => Buffer.concat(chunks ?? []).toString();
  return new Promise((resolve) =>
    child.on('close', (status) => resolve({ status: status ?? -1, stdout: text(stdout), stderr: text(stderr) })),
  );
}

/**
 * Tells whether a program is on PATH (or in sbin), for `const withTool = requireTool('ostree') ? it : it.skip`: where it is
 * missing the test is shown as skipped. Under CI=true nothing may be skipped: then a missing tool throws.
 */
export function requireTool(...names: readonly string[]): boolean {
  const missing = names.filter((name) => !isOnPath(name));
  if (missing.length === 0) return true;
  return refuse(`These tools are missing: ${missing.join(', ')}`);
}

/** The same for privileges: mounting, owners, trusted xattrs. */
export function requireRoot(): boolean {
  return process.getuid?.() === 0 || refuse('These tests need root');
}

function refuse(reason: string): false {
  if (process.env.CI === 'true') throw new Error(`${reason}; under CI=true nothing is skipped`);
  process.stderr.write(`skipped: ${reason}\n`);
  return false;
}

function isOnPath(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
