/**
 * The layers of src/ (docs/architecture.md) and "one door per package", as rules for dependency-cruiser.
 *
 * Each folder lists the folders that it may import; everything else is forbidden, type-only imports included.
 * A folder is entered through its index.ts. Sources are read with swc, because TypeScript 7 has no parser to offer.
 */
const LAYERS = {
  core: [],
  format: ['core'],
  sys: ['core'],
  repo: ['core', 'format', 'sys'],
  sign: ['core', 'format'],
  remote: ['core', 'format', 'sys', 'repo', 'sign'],
  checkout: ['core', 'format', 'sys', 'repo'],
  etc: ['core', 'sys', 'repo'],
  bootloader: ['core', 'sys'],
  deploy: ['core', 'format', 'sys', 'repo', 'sign', 'remote', 'checkout', 'etc', 'bootloader'],
  commands: ['core', 'repo', 'remote', 'sign', 'checkout', 'etc', 'bootloader', 'deploy'],
};

/** Package -> the only place that may import it. Those with one file each are in scripts/layers.mjs. */
const DOORS = {
  '@oclif/core': '^(src/commands|bin)/',
  koffi: '^src/sys/natives(-koffi)?\\.ts$',
};

const layerRules = Object.entries(LAYERS).map(([folder, allowed]) => ({
  name: `layer-${folder}`,
  comment: `src/${folder} may import ${allowed.length === 0 ? 'no other folder' : allowed.join(', ')}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [folder, ...allowed].map((name) => `^src/${name}/`) },
}));

const doorRules = Object.entries(DOORS).map(([name, door]) => ({
  name: `door-${name}`,
  comment: `${name} is imported only by ${door}`,
  severity: 'error',
  from: { pathNot: [door, '(^|/)node_modules/', '^test/'] },
  to: { path: `(^|/)node_modules/${name}/` },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...doorRules,
    {
      name: 'through-the-index',
      comment: 'A folder is entered through its index.ts',
      severity: 'error',
      from: { path: '^src/([^/]+)' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'src-imports-src',
      comment: 'src/ imports nothing of test/, bench/, scripts/ or bin/',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts|bin|build|dist)/' },
    },
    {
      name: 'resolvable',
      comment: 'An import that cannot be resolved would hide from all other rules',
      severity: 'error',
      from: { pathNot: '(^|/)node_modules/' },
      to: { couldNotResolve: true, pathNot: '^\\.\\./dist/' },
    },
    {
      name: 'declared',
      comment: 'Packages are listed in package.json',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
    { name: 'no-circles', comment: 'Files do not import each other in a circle', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: '(^|/)node_modules/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
