/** `sysroot init`: makes /gnomeos and its repository. */
import type { BootloaderName } from '../../bootloader/index.ts';
import { initSysroot } from '../../deploy/index.ts';
import type { Context } from '../context.ts';
import type { Input } from '../spec.ts';
import { becomeWriter } from '../sysroot-context.ts';
import type { sysrootInit } from '../table/deploy.ts';

export async function run(context: Context, input: Input<typeof sysrootInit>): Promise<unknown> {
  becomeWriter(context, input);
  const { paths } = initSysroot(input.sysroot ?? '/', { bootloader: input.bootloader as BootloaderName | undefined });
  context.line(`${paths.gnomeos} is ready; its repository is ${paths.repo}`);
  return { gnomeos: paths.gnomeos, repo: paths.repo };
}
