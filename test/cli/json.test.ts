/** `--json`: what commands print is what docs/json.md says. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { COMMANDS } from '../../src/commands/table/index.ts';
import { makeEd25519Keys } from '../helpers/ed25519-keys.ts';
import { fixtureDir } from '../helpers/fixture.ts';
import { hacktree, hacktreeOk, PROJECT_DIR } from '../helpers/run.ts';

const base = fixtureDir();
const repo = join(base, 'repo');
const tree = join(base, 'tree');
const CHECKSUM = expect.stringMatching(/^[0-9a-f]{64}$/) as unknown as string;

const json = (...args: string[]): { status: number; data: Record<string, unknown> } => {
  const { status, stdout, stderr } = hacktree([...args, '--json', `--repo=${repo}`]);
  expect([args, stderr, stdout.split('\n').length]).toEqual([args, '', 2]);
  const { hacktree: version, command, data, ...rest } = JSON.parse(stdout);
  expect([version, rest, args.join(' ').startsWith(command)]).toEqual([1, {}, true]);
  return { status, data };
};

/** Text of a command's section in docs/json.md. */
const section = (id: string): string =>
  readFileSync(join(PROJECT_DIR, 'docs/json.md'), 'utf8')
    .split('\n### ')
    .find((part) => part.startsWith(`${id}\n`)) ?? '';

/** A file with a new secret key. */
function secretKeyFile(): string {
  const path = join(base, 'secret');
  writeFileSync(path, makeEd25519Keys().secret);
  return path;
}

beforeAll(() => {
  mkdirSync(join(tree, 'dir'), { recursive: true });
  writeFileSync(join(tree, 'dir/file'), 'content\n');
  hacktreeOk(['init', `--repo=${repo}`, '--mode=archive']);
  for (const version of ['1', '2']) {
    writeFileSync(join(tree, 'version'), version);
    const options = [`--add-metadata-string=version=${version}`, '--generate-sizes', '--timestamp=@5', '--branch=main'];
    hacktreeOk(['commit', `--repo=${repo}`, ...options, tree]);
  }
});

describe('data', () => {
  const commit = {
    commit: CHECKSUM,
    parent: CHECKSUM,
    contentChecksum: CHECKSUM,
    timestampSec: 5,
    version: '2',
    subject: '',
    body: '',
    signatures: [],
  };
  const file = { type: 'file', mode: expect.stringMatching(/^0[0-7]{3}$/), uid: process.getuid?.(), gid: process.getgid?.() };

  it.each([
    [['log', 'main'], { commits: [commit, { ...commit, parent: null, version: '1' }], isComplete: true }],
    [['log', 'main', '-n', '1'], { commits: [commit], isComplete: true }],
    [['show', 'main'], { type: 'commit', ...commit }],
    [['show', '--raw', 'main'], { type: 'commit', ...commit, text: expect.stringContaining("'version': <'2'>") }],
    [['show', '--print-metadata-key=version', 'main'], { text: "'2'" }],
    [['show', '--list-metadata-keys', 'main'], { commit: CHECKSUM, keys: ['ostree.ref-binding', 'ostree.sizes', 'version'] }],
    [['rev-parse', 'main^'], { commits: [{ rev: 'main^', commit: CHECKSUM }] }],
    [['refs'], { refs: [{ ref: 'main', remote: null, collection: null, commit: CHECKSUM, aliasOf: null }] }],
    [['config', 'get', 'core.mode'], { group: 'core', key: 'mode', value: 'archive-z2' }],
    [['checksum', tree], { path: tree, checksum: CHECKSUM }],
    [
      ['ls', '-R', 'main', '/dir'],
      {
        commit: CHECKSUM,
        entries: [
          { ...file, type: 'directory', path: '/dir', tree: CHECKSUM, meta: CHECKSUM, xattrs: [] },
          { ...file, path: '/dir/file', sizeBytes: 8, checksum: CHECKSUM, xattrs: [] },
        ],
      },
    ],
    [
      ['cat', 'main', 'dir/file'],
      { commit: CHECKSUM, files: [{ path: '/dir/file', checksum: CHECKSUM, contentBase64: 'Y29udGVudAo=' }] },
    ],
    [
      ['diff', 'main', '--stats', '--fs-diff'],
      {
        from: { commit: CHECKSUM },
        to: { commit: CHECKSUM },
        modified: ['/version'],
        deleted: [],
        added: [],
        stats: { fromCount: 6, toCount: 6, commonCount: 3, commonBytes: expect.any(Number) },
      },
    ],
    [
      ['index', 'find', join(tree, 'dir/file')],
      { digest: CHECKSUM, objects: [expect.objectContaining({ paths: ['/dir/file'], hasMorePaths: false })] },
    ],
    [
      ['prune', '--dry-run', '--refs-only', '--depth=0'],
      expect.objectContaining({ dryRun: true, prunedCount: 3, commits: [CHECKSUM] }),
    ],
  ])('of %j', (args, expected) => {
    expect(json(...args)).toEqual({ status: 0, data: expected });
  });

  it('names only members that the page describes', () => {
    const samples: Record<string, string[][]> = {
      checkout: [['checkout', '--user-mode', 'main', join(base, 'out')]],
      commit: [['commit', '--orphan', tree]],
      du: [['du'], ['du', 'main', '/dir']],
      fsck: [['fsck']],
      'index check': [['index', 'check']],
      'index rebuild': [['index', 'rebuild']],
      'index stats': [['index', 'stats']],
      log: [['log', 'main']],
      prune: [['prune', '--dry-run']],
      'static-delta generate': [['static-delta', 'generate', 'main']],
      'static-delta list': [['static-delta', 'list']],
      'static-delta indexes': [['static-delta', 'indexes']],
      sign: [['sign', '--keys-file', secretKeyFile(), 'main']],
      show: [
        ['show', 'main'],
        ['show', '--print-sizes', 'main'],
      ],
    };
    for (const [id, lines] of Object.entries(samples)) {
      for (const line of lines) {
        const { data } = json(...line);
        const missing = Object.keys(data).filter(
          (key) => !section(id).includes(`"${key}"`) && !section('log').includes(`"${key}"`),
        );
        expect([line, missing]).toEqual([line, []]);
      }
    }
  });
});

it('has a section for every command that offers it', () => {
  expect(COMMANDS.filter((spec) => spec.json === true && section(spec.id) === '').map(({ id }) => id)).toEqual([]);
});

it('gives findings as data and the exit status of the failure', () => {
  const name =
    readdirSync(join(repo, 'objects'), { recursive: true })
      .map(String)
      .find((path) => path.endsWith('.filez')) ?? '';
  const before = readFileSync(join(repo, 'objects', name));
  writeFileSync(join(repo, 'objects', name), before.subarray(0, -3));
  const { status, data } = json('fsck');
  expect([status, data.ok]).toEqual([1, false]);
  expect(data.findings).toEqual([expect.objectContaining({ kind: 'object-invalid', repaired: false, refs: ['main'] })]);
  expect(hacktree(['fsck', '--exit-code', '--quiet', `--repo=${repo}`]).status).toBe(24);
  writeFileSync(join(repo, 'objects', name), before);
  expect(json('fsck').status).toBe(0);
});
