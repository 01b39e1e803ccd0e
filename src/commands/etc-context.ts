/** What the `etc` commands share: which root's /etc, paths in it, opening its history, and printing differences. */
import {
  etcHistoryDir,
  etcOfRoot,
  type RootEtc,
  readState,
  type Sysroot,
  type SysrootState,
  saveEtcState,
} from '../deploy/index.ts';
import { type EtcDifference, EtcHistory, type EtcLogEntry } from '../etc/index.ts';
import type { Context } from './context.ts';
import { printTime } from './format-text.ts';
import { usageError } from './input.ts';
import { type ChangingInput, changeSysroot, type SysrootInput, sysrootOf } from './sysroot-context.ts';

/** Opens the sysroot for reading and finds the /etc of a root, as etcOfRoot does. */
export function readEtc(input: SysrootInput, root: string | undefined): { state: SysrootState; etc: RootEtc } {
  const state = readState(sysrootOf(input));
  return { state, etc: etcOfRoot(state, root) };
}

/** Locks the sysroot, puts the /etc that is about to change into the history, and changes it. */
export function changeEtc<T>(
  context: Context,
  input: ChangingInput & { readonly root: string | undefined },
  what: string,
  change: (etc: RootEtc, sysroot: Sysroot, save: () => Promise<void>) => Promise<T> | T,
): Promise<T> {
  return changeSysroot(context, input, `etc ${what}`, (state) => {
    const etc = etcOfRoot(state, input.root);
    const save = async (): Promise<void> => {
      const warning = await saveEtcState(state, etc, what);
      if (warning !== undefined) context.warn(warning);
    };
    return change(etc, state.sysroot, save);
  });
}

/** Errors: `path-not-found` when there is no history, `permission`. */
export function openHistory(sysroot: Sysroot): Promise<EtcHistory> {
  return EtcHistory.open(etcHistoryDir(sysroot));
}

/** Makes a path relative to /etc of what the user typed. Errors: `usage`. */
export function etcPath(text: string): string {
  const relative = text.replace(/^(\.\/)?\/?etc\//, '').replace(/\/+$/, '');
  const isInside = !relative.startsWith('/') && relative.split('/').every((part) => !['', '.', '..'].includes(part));
  if (isInside) return relative;
  throw usageError(`Not a path in /etc: '${text}'`, ['for example: ssh/sshd_config or /etc/ssh/sshd_config']);
}

const LETTERS: Record<EtcDifference['change'], string> = {
  added: 'A',
  removed: 'D',
  modified: 'M',
  attributes: 'P',
  unreadable: '?',
};

const NOTES: Partial<Record<EtcDifference['change'], string>> = {
  attributes: ' (owner, mode or attributes)',
  unreadable: ' (you may not read it)',
};

/** Prints a path that differs: `M    ssh/sshd_config`. */
export function printChange(context: Context, { path, change }: EtcDifference): void {
  context.line(`${LETTERS[change]}    ${path}${NOTES[change] ?? ''}`);
}

/** Prints the head of a commit as `etc log` shows it. */
export function printEntry(context: Context, { id, timeSec, subject, body, branches }: EtcLogEntry): void {
  context.line(`commit ${id}${branches.length === 0 ? '' : ` (${branches.join(', ')})`}`);
  context.line(`Date:  ${printTime(timeSec)}`);
  context.line();
  for (const line of [subject, ...(body === '' ? [] : ['', ...body.split('\n')])]) context.line(line === '' ? '' : `    ${line}`);
  context.line();
}
