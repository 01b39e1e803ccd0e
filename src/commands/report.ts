/**
 * The one place that turns an error into text or JSON and into an exit status.
 *
 * Text: `error: MESSAGE`, then what the message leaves out of path, expected and found, then causes, then hints. Never
 * a stack trace, unless HACKTREE_DEBUG=1 asks for it. Everything that is not a HacktreeError is a bug and is said so.
 */
import { ERROR_TABLE, type ErrorCode, errnoOf, HacktreeError, isHacktreeError, wrapSystemError } from '../core/index.ts';
import type { FrontEnd } from './spec.ts';

export const EXIT_OK = 0;
const EXIT_FAILURE = 1;
/** What a shell shows for a process that SIGPIPE ended. */
export const EXIT_READER_GONE = 141;

const RED_ERROR = '\u001b[1;31merror:\u001b[0m';

/** Makes a HacktreeError of whatever was thrown. */
export function toHacktreeError(thrown: unknown): HacktreeError {
  if (isHacktreeError(thrown)) return thrown;
  const errno = errnoOf(thrown);
  if (errno !== undefined) {
    const { syscall, path } = thrown as NodeJS.ErrnoException;
    const wrapped = wrapSystemError(thrown, syscall ?? 'System call', path);
    if (isHacktreeError(wrapped)) return wrapped;
  }
  const message = thrown instanceof Error ? thrown.message : String((thrown as Error)?.message ?? thrown);
  return new HacktreeError('internal', `Unexpected failure: ${message}`, {
    cause: thrown,
    hints: ['HACKTREE_DEBUG=1 shows where it happened.'],
  });
}

/** How failures are told. */
export interface ReportRules {
  readonly frontEnd: FrontEnd;
  /** --exit-code: a status for each kind of failure. */
  readonly distinct: boolean;
  readonly color: boolean;
}

/** Gives the exit status of a failure. `ostree` knows only 1; interruption is 130 or 143 in both. */
export function failureStatus(code: ErrorCode, rules: ReportRules): number {
  if (code === 'interrupted') return ERROR_TABLE.interrupted.status;
  if (rules.frontEnd === 'ostree') return EXIT_FAILURE;
  return rules.distinct || code === 'usage' ? statusOf(code) : EXIT_FAILURE;
}

function statusOf(code: ErrorCode): number {
  return ERROR_TABLE[code]?.status ?? EXIT_FAILURE;
}

/** Prints an error for people, with a final newline; `ostree` prints one line and no more. */
export function printError(error: HacktreeError, options: ReportRules & { readonly debug: boolean }): string {
  const lines = [`${options.color ? RED_ERROR : 'error:'} ${error.message}`];
  if (options.frontEnd === 'hacktree') {
    lines.push(...detailLines(error), ...causeLines(error), ...error.hints.map((hint) => `hint: ${hint}`));
  }
  if (options.debug) lines.push(...stacks(error));
  return `${lines.join('\n')}\n`;
}

/** path, expected and found, as far as the message does not say them. */
function detailLines(error: HacktreeError): string[] {
  return (['path', 'expected', 'found'] as const).flatMap((key) => {
    const value = error.details[key];
    const isSaid = value === undefined || error.message.includes(String(value));
    return isSaid ? [] : [`  ${key}: ${String(value)}`];
  });
}

/** Causes that add something: the errno that a message already spells out does not. */
function causeLines(error: HacktreeError): string[] {
  const lines: string[] = [];
  for (let cause = error.cause; cause !== undefined && cause !== null; cause = (cause as Error).cause) {
    const message = String((cause as Error).message ?? cause);
    const isSaid = error.message.includes(message) || errnoOf(cause) !== undefined;
    if (!isSaid) lines.push(`  caused by: ${message}`);
  }
  return lines;
}

function stacks(error: HacktreeError): string[] {
  const lines: string[] = [];
  for (let each: unknown = error; each instanceof Error || isHacktreeError(each); each = (each as Error).cause) {
    lines.push((each as Error).stack ?? String(each));
  }
  return lines;
}
