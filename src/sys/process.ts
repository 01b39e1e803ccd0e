/**
 * Child processes: run a program, give it bytes, take its output. No shell, ever.
 *
 * Output is bounded: a program that talks without end is stopped and reported, not collected until memory ends.
 */
import { constants } from 'node:os';
import { HacktreeError, wrapSystemError } from '../core/index.ts';

export interface ProcessResult {
  /** Exit status; undefined when a signal ended the program. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** The time limit ended the program. */
  readonly isTimedOut: boolean;
}

export interface ProcessOptions {
  readonly input?: Uint8Array;
  readonly cwd?: string;
  /** Replaces the environment. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Most bytes of standard output and of standard error each. Default 16 MiB. */
  readonly maxOutputBytes?: number;
  /** After this time the program is killed. Default: never. What it started itself may live on. */
  readonly timeoutMs?: number;
}

/** It takes the network's code along, milliseconds at every start (as in settle.ts). */
const loadSpawn = (): Promise<typeof import('node:child_process')> => import('node:child_process');

const DEFAULT_MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * Runs a program to its end, found through PATH unless it has a slash. Any exit status is a result, not an error.
 * Errors: `path-not-found` (no such program), `permission`, `io` (it wrote more than allowed).
 */
export async function runProcess(program: string, args: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
  const { spawn } = await loadSpawn();
  const { input, cwd, env, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], shell: false });
    let overflow = false;
    let isTimedOut = false;
    const stop = (): void => {
      isTimedOut = true;
      child.kill('SIGKILL');
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(stop, timeoutMs);
    const collect = (stream: NodeJS.ReadableStream): Buffer[] => {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxOutputBytes) chunks.push(chunk);
        else if (!overflow) {
          overflow = true;
          child.kill('SIGKILL');
        }
      });
      return chunks;
    };
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(wrapSystemError(error, 'Running', program));
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      if (overflow) reject(new HacktreeError('io', `${program} wrote more than ${maxOutputBytes} bytes and was stopped`));
      else {
        resolve({
          status: status ?? undefined,
          signal: signal ?? undefined,
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr),
          isTimedOut,
        });
      }
    });
    // A program may end without reading its input; that is for its exit status to tell.
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? Buffer.alloc(0));
  });
}

/**
 * Runs a program on this process's own terminal to its end and returns its exit status, 128 + number for a signal's; or the
 * number that it writes to descriptor 3, since a wrapper such as unshare(1) may fall to a Ctrl-C that was not meant for it.
 * Ctrl-C is the program's for as long as it runs, not this process's. Errors: `path-not-found` (no such program), `permission`.
 */
export async function runOnTerminal(
  program: string,
  args: readonly string[],
  options: Pick<ProcessOptions, 'cwd' | 'env'> = {},
): Promise<number> {
  const { spawn } = await loadSpawn();
  const listeners = process.listeners('SIGINT');
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', ignoreSignal);
  return new Promise<number>((resolve, reject) => {
    const { cwd, env } = options;
    const child = spawn(program, [...args], { cwd, env, stdio: ['inherit', 'inherit', 'inherit', 'pipe'], shell: false });
    let said = '';
    child.stdio[3]?.on('data', (bytes: Buffer) => {
      said += bytes.toString('latin1');
    });
    child.on('error', (error) => reject(wrapSystemError(error, 'Running', program)));
    child.on('close', (status, signal) => {
      const own = status ?? 128 + constants.signals[signal ?? 'SIGKILL'];
      resolve(/^\d+\n$/.test(said) ? Number(said) : own);
    });
  }).finally(() => {
    process.removeListener('SIGINT', ignoreSignal);
    for (const listener of listeners) process.on('SIGINT', listener);
  });
}

function ignoreSignal(): void {}
