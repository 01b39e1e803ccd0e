/** `switch`: follows another ref from now on. */
import { deploy, openSysrootRepo } from '../../deploy/index.ts';
import { pull } from '../../remote/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { becomeWriter, deployOptions, planData, printDeployed, sysrootOf } from '../sysroot-context.ts';
import type { switchRef } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof switchRef>): Promise<unknown> {
  becomeWriter(context, input);
  const sysroot = sysrootOf(input);
  const colon = input.ref.indexOf(':');
  if (colon >= 0) {
    const refs = [input.ref.slice(colon + 1)];
    await pull(openSysrootRepo(sysroot), input.ref.slice(0, colon), { refs, onProgress: context.report, signal: context.signal });
  }
  const { plan, etc, madeRoom } = await deploy(sysroot, { ...deployOptions(context, input), rev: input.ref });
  printDeployed(context, plan, madeRoom);
  context.line(`Upgrades follow ${input.ref}`);
  return { ...planData(plan), dryRun: false, etc: etc ?? null, madeRoom };
}
