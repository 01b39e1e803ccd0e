/** `etc show`: what a commit of the history changed, or what it has at a path. */
import { HacktreeError } from '../../core/index.ts';
import type { EtcHistory } from '../../etc/index.ts';
import type { Context } from '../context.ts';
import { etcPath, openHistory, printChange, printEntry } from '../etc-context.ts';
import { printMode } from '../format-text.ts';
import type { Input } from '../spec.ts';
import { sysrootOf } from '../sysroot-context.ts';
import type { etcShow } from '../table/etc.ts';

export async function run(context: Context, input: Input<typeof etcShow>): Promise<unknown> {
  const history = await openHistory(sysrootOf(input));
  if (input.path !== undefined) return showPath(context, history, input.commit, etcPath(input.path));
  const { changes, ...entry } = await history.show(input.commit);
  printEntry(context, entry);
  const isFirst = entry.parents.length === 0;
  const shown: object[] = [];
  for (const change of changes) {
    const text = isFirst ? undefined : await history.printChange(entry.id, change.path);
    if (text === undefined) printChange(context, change);
    else context.print(text);
    shown.push(text === undefined ? change : { ...change, text });
  }
  return { ...entry, changes: shown };
}

/** A file's bytes or a symlink's target. */
async function showPath(context: Context, history: EtcHistory, commit: string, path: string): Promise<object> {
  const found = await history.read(commit, path);
  if (found === undefined) throw new HacktreeError('path-not-found', `${commit} had no ${path}`, { details: { path } });
  const { type, content, attributes } = found;
  if (type === 'directory') throw new HacktreeError('path-not-found', `${path} is a directory`, { details: { path } });
  context.bytes(content);
  if (type === 'symlink') context.line();
  const { uid, gid, mode } = attributes;
  return { path, type, uid, gid, mode: printMode(mode), contentBase64: content.toString('base64') };
}
