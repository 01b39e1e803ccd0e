/**
 * Child processes: run a program, give it bytes, take its output. No shell, ever.
 *
 * Output is bounded: a program that talks without end is stopped and reported, not collected until memory ends.
 */
import { spawn } from 'node:child_process';
import { HacktreeError, wrapSystemError } from '../core/index.ts';

export interface ProcessResult {
  /** Exit status; undefined when a signal ended the program. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface ProcessOptions {
  readonly input?: Uint8Array;
  readonly cwd?: string;
  /** Replaces the environment. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Most bytes of standard output and of standard error each. Default 16 MiB. */
  readonly maxOutputBytes?: number;
}

const DEFAULT_MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * Runs a program to its end, found through PATH unless it has a slash. Any exit status is a result, not an error.
 * Errors: `path-not-found` (no such program), `permission`, `io` (it wrote more than allowed).
 */
export function runProcess(program: string, args: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
  const { input, cwd, env, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], shell: false });
    let overflow = false;
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
    child.on('error', (error) => reject(wrapSystemError(error, 'Running', program)));
    child.on('close', (status, signal) => {
      if (overflow) reject(new HacktreeError('io', `${program} wrote more than ${maxOutputBytes} bytes and was stopped`));
      else {
        resolve({
          status: status ?? undefined,
          signal: signal ?? undefined,
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr),
        });
      }
    });
    // A program may end without reading its input; that is for its exit status to tell.
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? Buffer.alloc(0));
  });
}
