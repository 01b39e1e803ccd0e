/** `etc restore`: puts a file or directory of /etc back as it was. */
import type { Context } from '../context.ts';
import { changeEtc, etcPath, openHistory } from '../etc-context.ts';
import type { Input } from '../spec.ts';
import type { etcRestore } from '../table/etc.ts';

export async function run(context: Context, input: Input<typeof etcRestore>): Promise<unknown> {
  const path = etcPath(input.path);
  return changeEtc(context, input, `restore ${path}`, async (etc, sysroot, save) => {
    const history = await openHistory(sysroot);
    const commit = input.from === undefined ? await history.deployed(etc.root) : (await history.show(input.from)).id;
    await save();
    const paths = await history.restore(path, commit, etc.etcDir);
    for (const one of paths) context.line(`Restored ${one} in /etc of ${etc.root} from ${commit.slice(0, 10)}`);
    return { root: etc.root, from: commit, paths };
  });
}
