/** `switch`: follows another ref from now on. */
import { deploy, openSysrootRepo } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import { pullRefspec } from '../pull-refspec.ts';
import type { Input } from '../spec.ts';
import { becomeWriter, deployOptions, planData, printDeployed, sysrootOf } from '../sysroot-context.ts';
import type { switchRef } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof switchRef>): Promise<unknown> {
  becomeWriter(context, input);
  const sysroot = sysrootOf(input);
  await pullRefspec(context, openSysrootRepo(sysroot), input.ref);
  const { plan, etc, madeRoom } = await deploy(sysroot, { ...deployOptions(context, input), rev: input.ref });
  printDeployed(context, plan, madeRoom);
  context.line(`Upgrades follow ${input.ref}`);
  return { ...planData(plan), dryRun: false, etc: etc ?? null, madeRoom };
}
