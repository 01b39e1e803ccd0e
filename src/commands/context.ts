/**
 * What a command may touch: its output, its messages, the place it works on, and the wish to stop.
 *
 * A command prints through the context and nowhere else, so that `--json`, a closed pipe, and the progress line are
 * dealt with in one place. With `--json` printing does nothing: the command returns its data instead.
 */
import { type ErrorCode, HacktreeError, monotonicMs, type Progress } from '../core/index.ts';
import { type OstreeEnvironment, readEnvironment } from './environment.ts';
import { Output, writeStderr } from './output.ts';
import { ProgressDrawer, type ProgressMode, progressStyle } from './progress.ts';
import { locateRepo } from './repo-location.ts';
import { failureStatus, type ReportRules } from './report.ts';
import type { FrontEnd } from './spec.ts';

export interface GlobalOptions {
  readonly repo: string | undefined;
  readonly verbose: boolean;
  readonly json: boolean;
  readonly progress: ProgressMode;
}

/** What the process brings along; read once at the edge. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdoutFd: number;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  readonly columns: number;
}

export class Context {
  readonly rules: ReportRules;
  readonly options: GlobalOptions;
  readonly surroundings: Surroundings;
  readonly environment: OstreeEnvironment;
  /** Aborted by SIGINT and SIGTERM in commands that are `interruptible`. */
  readonly signal: AbortSignal;
  readonly output: Output;
  /** Exit status of a command that ends without an error. */
  exitStatus = 0;
  readonly #drawer: ProgressDrawer;

  constructor(rules: ReportRules, options: GlobalOptions, place: { surroundings: Surroundings; signal: AbortSignal }) {
    this.rules = rules;
    this.options = options;
    this.surroundings = place.surroundings;
    this.environment = readEnvironment(place.surroundings.env);
    this.signal = place.signal;
    this.output = new Output(place.surroundings.stdoutFd);
    this.#drawer = new ProgressDrawer({
      style: progressStyle(options.progress, place.surroundings.stderrIsTerminal),
      write: writeStderr,
      nowMs: monotonicMs,
      columns: place.surroundings.columns,
    });
  }

  get frontEnd(): FrontEnd {
    return this.rules.frontEnd;
  }

  /** The caller wants data, not text. */
  get json(): boolean {
    return this.options.json;
  }

  /** Path of the repository. Errors: `repo-not-found`. */
  get repoPath(): string {
    const { env, cwd } = this.surroundings;
    return locateRepo({ frontEnd: this.frontEnd, option: this.options.repo, env, cwd });
  }

  /** Makes the command end with the status of a failure, although it has a result. */
  endAs(code: ErrorCode): void {
    this.exitStatus = failureStatus(code, this.rules);
  }

  /** Prints a line of the result. */
  line(text = ''): void {
    this.print(`${text}\n`);
  }

  /** Prints a part of the result as it is. */
  print(text: string): void {
    if (!this.json) this.output.print(text);
  }

  /** Prints bytes of the result. */
  bytes(bytes: Uint8Array): void {
    if (!this.json) this.output.bytes(bytes);
  }

  /** Says something that the user should know although the command goes on. */
  warn(message: string): void {
    this.message(`warning: ${message}`);
  }

  /** Says something with --verbose. */
  note(message: string): void {
    if (this.options.verbose) this.message(message);
  }

  /** Writes a line to standard error. */
  message(text: string): void {
    this.#drawer.clear();
    this.output.flush();
    writeStderr(`${text}\n`);
  }

  /** Says that another process holds the lock; to be handed to services as it is. */
  readonly onLockWait = (): void => this.message('Waiting for another process to finish with the repository...');

  /** Says how often progress is drawn, in milliseconds. */
  drawEvery(intervalMs: number): void {
    this.#drawer.drawEvery(intervalMs);
  }

  /** Takes the progress of a long job; to be handed to services as it is. */
  readonly report = (progress: Progress): void => this.#drawer.report(progress);

  /** Hands all output to the kernel and takes the progress line away. Errors: `io`, `no-space`; ReaderGone. */
  finish(): void {
    this.#drawer.clear();
    this.output.flush();
  }

  /** Errors: `interrupted` when the user wants the command to stop. */
  throwIfInterrupted(): void {
    if (this.signal.aborted) throw new HacktreeError('interrupted', 'Interrupted');
  }
}
