/** `status`: the deployed roots and what each is to the machine. */
import { openSysrootRepo, type RootStatus, readState, type SysrootStatus, sysrootStatus } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { sysrootOf } from '../sysroot-context.ts';
import type { status } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof status>): Promise<unknown> {
  const sysroot = sysrootOf(input);
  const data = sysrootStatus(readState(sysroot), openSysrootRepo(sysroot), { sizes: input.size });
  print(context, data);
  return data;
}

function print(context: Context, data: SysrootStatus): void {
  context.line(
    `Booted: ${data.booted}   Default: ${data.default}   If that fails: ${data.rollback}   Boot loader: ${data.bootloader ?? 'none found'}`,
  );
  if (data.roots.length === 0) context.line('No deployed roots.');
  for (const root of data.roots) printRoot(context, root);
  for (const name of data.leftovers) context.line(`Leftover, removed by the next change: ${name}`);
  for (const name of data.unlisted) context.line(`Not in the boot menu, kept: ${name}`);
  for (const { message, consequence } of data.warnings) context.warn(`${message}: ${consequence}`);
}

function printRoot(context: Context, root: RootStatus): void {
  context.line();
  context.line(`${root.isBooted ? '*' : ' '} ${root.root}${marks(root)}`);
  const field = (name: string, value: string | undefined): void => {
    if (value !== undefined) context.line(`    ${name}: ${value}`);
  };
  field('Title', root.title);
  field('Version', root.version);
  field('Commit', root.commit);
  field('Follows', root.refspec);
  field('Deployed', time(root.deployedSec));
  field('Pinned', root.pin === undefined ? undefined : (root.pin.reason ?? 'yes'));
  field('Failed', failureText(root));
  field(
    'Size',
    root.size === undefined ? undefined : `${root.size.exclusiveBytes} bytes of its own, ${root.size.sharedBytes} shared`,
  );
  field('Conflicts', conflictsText(root));
  field('Arguments', root.kargs.map(({ argument }) => argument).join(' '));
  field('Next boot only', root.onceKargs?.join(' '));
}

function marks(root: RootStatus): string {
  const words = [
    root.isDefault ? 'default' : '',
    root.isRollback ? 'rollback' : '',
    root.isNextOnce ? 'next boot only' : '',
    root.triesLeft === undefined ? '' : `on trial, ${root.triesLeft} boots left`,
    root.failure === undefined ? '' : 'failed',
    root.pin === undefined ? '' : 'pinned',
    root.isPresent ? '' : 'missing: its directory was deleted',
  ].filter((word) => word !== '');
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

function conflictsText({ root, etcUnresolved }: RootStatus): string | undefined {
  if (etcUnresolved.length === 0) return undefined;
  const paths = [...new Set(etcUnresolved.map(({ path }) => path))];
  const more = paths.length > 5 ? ` and ${paths.length - 5} more` : '';
  return `in /etc: ${paths.slice(0, 5).join(', ')}${more}; see: hacktree etc status ${root}`;
}

function failureText({ failure }: RootStatus): string | undefined {
  if (failure === undefined) return undefined;
  const reasons: Record<string, string> = {
    tries: 'it did not come up in any of its tries',
    health: `the check ${failure.check} failed`,
  };
  const when = time(failure.timeSec);
  return `${reasons[failure.reason] ?? failure.reason}${when === undefined ? '' : `, ${when}`}`;
}

function time(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
