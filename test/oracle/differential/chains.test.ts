/** Chains of lines as scripts have them, each in two modes: what one line leaves is what the next one works on. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { fixtureDir } from '../../helpers/fixture.ts';
import { ostree } from '../../helpers/oracle.ts';
import { requireRoot, requireTool } from '../../helpers/run.ts';
import { compareScenario } from './compare.ts';
import { type Mode, makeCommon, makeStart } from './start.ts';

const withOstree = requireTool('ostree', 'tar') && requireRoot() ? it : it.skip;
const base = fixtureDir();

beforeAll(() => makeCommon(base));

/** Words in capitals stand for the mirror and for its newest commit of `main`. */
const CHAINS: readonly [string, readonly Mode[], readonly string[]][] = [
  [
    'a parent repository',
    ['bare-user'],
    ['config set core.parent UP', 'show NEWEST', 'ls -R NEWEST', 'checkout -U NEWEST out', 'log NEWEST', 'fsck', 'prune'],
  ],
  [
    'partial commits',
    ['bare', 'bare-user-only'],
    [
      'pull --subpath=/dir up main',
      'ls -R up:main /dir',
      'checkout --subpath=/dir up:main part',
      'pull up main',
      'fsck --quiet',
      'checkout -U up:main whole',
      'pull --commit-metadata-only --depth=-1 up second',
      'log up:second',
      'prune --refs-only',
    ],
  ],
  [
    'tombstones',
    ['archive', 'bare-user'],
    [
      'config set core.tombstone-commits true',
      'reset main main^',
      'prune --refs-only --depth=0',
      'fsck',
      'refs --delete other/one',
      'prune --refs-only',
      'log main',
      'fsck --add-tombstones',
    ],
  ],
  [
    'collections and bindings',
    ['bare', 'archive'],
    [
      'config set core.collection-id org.example.Chain',
      'commit --branch=main --subject=Bound --bind-ref=also tree',
      'show --print-metadata-key=ostree.collection-binding main',
      'show --print-metadata-key=ostree.ref-binding main',
      'refs --collections',
      'refs --collections org.example.Other',
      'refs --create=also main',
      'refs --collections --create=org.example.Other:theirs main',
      'refs --collections',
      'fsck --verify-bindings',
      'refs --create=unbound main',
      'fsck --verify-bindings',
    ],
  ],
  [
    'layers and unions',
    ['bare-user', 'bare-user-only'],
    [
      'commit --branch=layered --tree=ref=main --tree=dir=small --tree=tar=tree.tar',
      'diff main layered',
      'commit --branch=layered --base=main --tree=dir=small --owner-uid=0 --skip-if-unchanged',
      'checkout -U --union main out',
      'checkout -U --union other/two out',
      'checkout -U --union-add layered out',
      'checkout -U -H --union-identical layered out',
      'checkout -U --whiteouts --union whiteouts out',
      'checkout -U -C layered copy',
      'commit --branch=back --link-checkout-speedup --canonical-permissions out',
      'diff layered back',
    ],
  ],
  [
    'deltas and signatures',
    ['archive', 'bare-user'],
    [
      'static-delta generate main',
      'static-delta generate --empty --inline main',
      'static-delta list',
      'static-delta reindex',
      'static-delta indexes',
      'sign -s dummy main K1 K2',
      'sign -s dummy --verify main K2',
      'summary -u',
      'summary -v',
    ],
  ],
];

const cases = CHAINS.flatMap(([name, modes, lines]) => modes.map((mode) => [name, mode, lines] as const));

describe.each(cases)('%s in %s', (name, mode, lines) => {
  withOstree('is as with ostree', async () => {
    const start = makeStart(base, mode, `${mode}-${name.replaceAll(' ', '-')}`);
    const newest = ostree(`${base}/up`, 'rev-parse', 'main');
    const words = lines.map((line) => line.replace('UP', `${base}/up`).replace('NEWEST', newest).split(' '));
    expect(await compareScenario(start, words)).toEqual([]);
  });
});
