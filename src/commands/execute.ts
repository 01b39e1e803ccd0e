/**
 * Runs one command from parsed input to exit status: signals, errors, output, all in one place for both front ends.
 *
 * A signal aborts the context's signal once; the command cleans up and the process ends with 130 or 143. A second
 * signal ends the process at once, as it would without us, and so does a command that waits for something else for too
 * long: what is on disk is sound at every moment, leftovers go with the next run.
 */

import { Context, type GlobalOptions, type Surroundings } from './context.ts';
import { printErrorObject, printResult } from './json.ts';
import { loadCommand } from './loaders.ts';
import { Output, ReaderGone, writeStderr } from './output.ts';
import { makeRepoWritable } from './own-namespace.ts';
import { EXIT_READER_GONE, failureStatus, printError, type ReportRules, toHacktreeError } from './report.ts';
import type { CommandSpec } from './spec.ts';
import { isTerminal } from './terminal.ts';

const SIGNAL_STATUS = { SIGINT: 130, SIGTERM: 143 } as const;
/** How long a command may take to clean up after a signal. */
const CLEANUP_MS = 5000;

export interface Execution {
  readonly spec: CommandSpec;
  readonly input: Record<string, unknown>;
  readonly global: GlobalOptions;
  readonly rules: ReportRules;
}

/** Reads what the process brings along. */
export function surroundingsOfProcess(): Surroundings {
  // Asking process.stderr would set up a stream that is not needed.
  const stderrIsTerminal = isTerminal(2);
  const columns = stderrIsTerminal ? process.stderr.columns : 80;
  return { env: process.env, cwd: process.cwd(), stdoutFd: 1, stdoutIsTerminal: isTerminal(1), stderrIsTerminal, columns };
}

/** Makes a failure that no promise holds end the process as any other does, instead of with Node's own report. */
export function guardProcess(rules: ReportRules): void {
  process.on('uncaughtException', (error) => process.exit(fail(error, { command: '', json: false, rules })));
}

/** Runs a command and returns the exit status. Never throws. */
export async function execute({ spec, input, global, rules }: Execution): Promise<number> {
  const watch = spec.interruptible === true ? watchSignals() : undefined;
  const signal = watch?.signal ?? new AbortController().signal;
  const context = new Context(rules, global, { surroundings: surroundingsOfProcess(), signal });
  try {
    if (spec.usesRepo === true) await makeRepoWritable(context);
    const run = await loadCommand(spec.id);
    const result = await run(context, input);
    if (global.json) context.output.print(printResult(spec.id, result));
    context.finish();
    return context.exitStatus;
  } catch (thrown) {
    const status = fail(thrown, { command: spec.id, json: global.json, rules, context });
    return watch?.status() ?? status;
  } finally {
    watch?.close();
  }
}

/**
 * Ends the process after a command, whose output has been written. Loaded late: a line that runs no command (help,
 * --version) needs nothing of a repository.
 */
export async function endAfterCommand(status: number): Promise<never> {
  const { endProcess } = await import('./end-process.ts');
  return endProcess(status);
}

interface Failure {
  readonly command: string;
  readonly json: boolean;
  readonly rules: ReportRules;
  readonly context?: Context;
}

/** Prints an error after whatever the command printed, and gives the exit status. Never throws. */
export function fail(thrown: unknown, { command, json, rules, context }: Failure): number {
  if (thrown instanceof ReaderGone) return EXIT_READER_GONE;
  const error = toHacktreeError(thrown);
  const output = context?.output ?? new Output(1);
  try {
    if (json) output.print(printErrorObject(command, error));
    if (context === undefined) output.flush();
    else context.finish();
  } catch (second) {
    // Standard output does not work either: the first error is the one to tell.
    if (second instanceof ReaderGone) return EXIT_READER_GONE;
    return printAndRate(error, { ...rules, json: false });
  }
  return printAndRate(error, { ...rules, json });
}

function printAndRate(error: ReturnType<typeof toHacktreeError>, rules: ReportRules & { readonly json: boolean }): number {
  const debug = process.env.HACKTREE_DEBUG === '1';
  if (!rules.json || debug) writeStderr(printError(error, { ...rules, debug }));
  return failureStatus(error.code, rules);
}

interface SignalWatch {
  readonly signal: AbortSignal;
  /** Exit status when a signal came, else undefined. */
  status(): number | undefined;
  close(): void;
}

function watchSignals(): SignalWatch {
  const controller = new AbortController();
  let received: keyof typeof SIGNAL_STATUS | undefined;
  const onSignal = (name: keyof typeof SIGNAL_STATUS): void => {
    if (received !== undefined) {
      void endAfterCommand(SIGNAL_STATUS[name]);
      return;
    }
    received = name;
    controller.abort();
    setTimeout(() => {
      writeStderr('error: Interrupted\n');
      void endAfterCommand(SIGNAL_STATUS[name]);
    }, CLEANUP_MS).unref();
  };
  const names = Object.keys(SIGNAL_STATUS) as (keyof typeof SIGNAL_STATUS)[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    status: () => (received === undefined ? undefined : SIGNAL_STATUS[received]),
    close: () => {
      for (const name of names) process.removeListener(name, onSignal);
    },
  };
}
