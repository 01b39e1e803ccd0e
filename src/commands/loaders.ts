/**
 * Where the code of each command is. Loaded by need, so that a command costs only what it uses.
 *
 * The types hold every command to its description: a file of `run/` that expects other input does not compile.
 */
import type { Context } from './context.ts';
import type { Input } from './spec.ts';
import type { KnownSpec } from './table/index.ts';

/** `help` is the front end's own. */
type Loadable = Exclude<KnownSpec, { id: 'help' }>;

type Loaders = {
  readonly [S in Loadable as S['id']]: () => Promise<{ run(context: Context, input: Input<S>): Promise<unknown> }>;
};

const LOADERS: Loaders = {
  'boot-complete': () => import('./run/boot-complete.ts'),
  cat: () => import('./run/cat.ts'),
  checkout: () => import('./run/checkout.ts'),
  checksum: () => import('./run/checksum.ts'),
  cleanup: () => import('./run/cleanup.ts'),
  commit: () => import('./run/commit.ts'),
  completion: () => import('./run/completion.ts'),
  config: () => import('./run/config.ts'),
  'create-usb': () => import('./run/create-usb.ts'),
  deploy: () => import('./run/deploy.ts'),
  diff: () => import('./run/diff.ts'),
  du: () => import('./run/du.ts'),
  'etc diff': () => import('./run/etc-diff.ts'),
  'etc gc': () => import('./run/etc-gc.ts'),
  'etc log': () => import('./run/etc-log.ts'),
  'etc resolve': () => import('./run/etc-resolve.ts'),
  'etc restore': () => import('./run/etc-restore.ts'),
  'etc show': () => import('./run/etc-show.ts'),
  'etc status': () => import('./run/etc-status.ts'),
  export: () => import('./run/export.ts'),
  'find-remotes': () => import('./run/find-remotes.ts'),
  fsck: () => import('./run/fsck.ts'),
  'gpg-sign': () => import('./run/gpg-sign.ts'),
  'index check': () => import('./run/index-check.ts'),
  'index find': () => import('./run/index-find.ts'),
  'index stats': () => import('./run/index-stats.ts'),
  'index rebuild': () => import('./run/index-rebuild.ts'),
  init: () => import('./run/init.ts'),
  kargs: () => import('./run/kargs.ts'),
  log: () => import('./run/log.ts'),
  ls: () => import('./run/ls.ts'),
  pin: () => import('./run/pin.ts'),
  prune: () => import('./run/prune.ts'),
  pull: () => import('./run/pull.ts'),
  'pull-local': () => import('./run/pull-local.ts'),
  refs: () => import('./run/refs.ts'),
  'remote add': () => import('./run/remote-add.ts'),
  'remote add-cookie': async () => (await import('./run/remote-cookies.ts')).add,
  'remote delete': () => import('./run/remote-delete.ts'),
  'remote delete-cookie': async () => (await import('./run/remote-cookies.ts')).remove,
  'remote gpg-import': () => import('./run/remote-gpg-import.ts'),
  'remote gpg-list-keys': () => import('./run/remote-gpg-list-keys.ts'),
  'remote list': () => import('./run/remote-list.ts'),
  'remote list-cookies': async () => (await import('./run/remote-cookies.ts')).list,
  'remote list-gpg-keys': () => import('./run/remote-gpg-list-keys.ts'),
  'remote refs': () => import('./run/remote-refs.ts'),
  'remote show-url': () => import('./run/remote-show-url.ts'),
  'remote summary': () => import('./run/remote-summary.ts'),
  reset: () => import('./run/reset.ts'),
  'rev-parse': () => import('./run/rev-parse.ts'),
  rollback: () => import('./run/rollback.ts'),
  run: () => import('./run/run.ts'),
  serve: () => import('./run/serve.ts'),
  'set-default': () => import('./run/set-default.ts'),
  show: () => import('./run/show.ts'),
  sign: () => import('./run/sign.ts'),
  'static-delta apply-offline': () => import('./run/static-delta-apply-offline.ts'),
  'static-delta delete': () => import('./run/static-delta-delete.ts'),
  'static-delta generate': () => import('./run/static-delta-generate.ts'),
  'static-delta indexes': () => import('./run/static-delta-indexes.ts'),
  'static-delta list': () => import('./run/static-delta-list.ts'),
  'static-delta reindex': () => import('./run/static-delta-reindex.ts'),
  'static-delta show': () => import('./run/static-delta-show.ts'),
  'static-delta verify': () => import('./run/static-delta-verify.ts'),
  status: () => import('./run/status.ts'),
  summary: () => import('./run/summary.ts'),
  switch: () => import('./run/switch.ts'),
  'sysroot init': () => import('./run/sysroot-init.ts'),
  undeploy: () => import('./run/undeploy.ts'),
  unpin: () => import('./run/unpin.ts'),
  upgrade: () => import('./run/upgrade.ts'),
};

/** Loads the code of a command. It takes the input that the command's description demands. */
export async function loadCommand(id: string): Promise<(context: Context, input: Record<string, unknown>) => Promise<unknown>> {
  const module = await LOADERS[id as keyof Loaders]();
  return module.run as (context: Context, input: Record<string, unknown>) => Promise<unknown>;
}
