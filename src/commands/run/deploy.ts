/** `deploy`: makes a commit a bootable root. */
import { deploy as deployRoot } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import { printEtcReport } from '../etc-report.ts';
import type { Input } from '../spec.ts';
import { becomeWriter, deployOptions, planData, printDeployed, printPlan, sysrootOf } from '../sysroot-context.ts';
import type { deploy } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof deploy>): Promise<unknown> {
  if (!input.dryRun) becomeWriter(context, input);
  const common = deployOptions(context, input);
  const retain = input.retainPending ? 'pending' : input.retainRollback ? 'rollback' : common.retain;
  const { plan, etc, madeRoom } = await deployRoot(sysrootOf(input), {
    ...common,
    rev: input.rev,
    name: input.name,
    osName: input.os,
    notAsDefault: input.notAsDefault,
    noMerge: input.noMerge,
    ownVar: input.ownVar,
    retain,
    dryRun: input.dryRun,
    ...(input.dryRun ? { onEtcReport: (report) => context.line(printEtcReport(report, true)) } : {}),
  });
  if (input.dryRun) printPlan(context, plan);
  else printDeployed(context, plan, madeRoom);
  return { ...planData(plan), dryRun: input.dryRun, etc: etc ?? null, madeRoom };
}
