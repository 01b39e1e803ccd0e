/** Says what becomes of /etc in a deployment: before it happens, and in a dry run. */
import type { DeployEtcReport } from '../deploy/index.ts';

type Action = DeployEtcReport['actions'][number];

const WORDS: Record<Action['outcome'], string> = {
  merged: 'merged',
  conflict: 'conflict',
  'keep-user': 'kept',
  removed: 'removed',
  ignored: 'ignored',
  error: 'error',
  'take-new': 'new default',
  unchanged: 'unchanged',
};

/** What a deployment says by itself; a dry run tells more. */
const NOTEWORTHY: readonly Action['outcome'][] = ['merged', 'conflict', 'ignored', 'error'];
const DETAILED: readonly Action['outcome'][] = [...NOTEWORTHY, 'keep-user', 'removed'];

/** Prints a report without a final newline. `detailed`: also what simply stays or goes. */
export function printEtcReport(report: DeployEtcReport, detailed: boolean): string {
  const { counts, from, accounts } = report;
  const numbers = (['conflict', 'merged', 'keep-user', 'removed', 'take-new'] as const)
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => `${counts[outcome]} ${WORDS[outcome]}`);
  const head = from === 'host' ? '/etc: the defaults, with what comes from the host' : `/etc: merged with that of ${from}`;
  const shown = report.actions.filter(({ outcome }) => (detailed ? DETAILED : NOTEWORTHY).includes(outcome));
  const title = `${head}${numbers.length === 0 ? '' : ` (${numbers.join(', ')})`}`;
  return [title, ...shown.map(actionLine), ...accountLines(accounts)].join('\n');
}

function actionLine({ path, outcome, reason, details = [], beside }: Action): string {
  const more = details.length === 0 || outcome !== 'conflict' ? '' : ` (${details.join('; ')})`;
  const other = beside === undefined ? '' : `; the other version: ${beside}`;
  return `  ${WORDS[outcome].padEnd(8)}  ${path}: ${reason}${more}${other}`;
}

function accountLines(accounts: DeployEtcReport['accounts']): string[] {
  if (accounts === undefined) return [];
  const { users, groups, conflicts } = accounts;
  const names = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '));
  return [
    `  accounts  users ${names(users)}; groups ${names(groups)}`,
    ...conflicts.map((text) => `  conflict  accounts: ${text}`),
  ];
}
