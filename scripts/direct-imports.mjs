/**
 * An esbuild plugin that turns an import of a folder's index.ts into imports of the files that define the names.
 *
 * esbuild puts a file into the chunk of every entry that reaches it by any import, used or not; through an index.ts every entry
 * reaches the whole folder, so each command would load all of it. With direct imports a command loads what it uses.
 * A name that cannot be found ends the build.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const NAMED = /^(import|export) \{([^}]*)\} from '(\.[^']*\/index\.ts)';/gm;
const REEXPORT_ALL = /^export \* from '([^']+)';/gm;
const REEXPORT = /^export \{([^}]*)\} from '([^']+)';/gm;
const DEFINITION = /^export (?:async )?(?:function\*?|const|let|class) ([A-Za-z0-9_$]+)/gm;
const DYNAMIC = /const \{ (\w+) \} = await import\('(\.[^']*\/index\.ts)'\)/g;

export const directImports = {
  name: 'direct-imports',
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({ contents: rewrite(path), loader: 'ts' }));
  },
};

function rewrite(path) {
  const direct = (name, index) => {
    const target = findDefinition(join(dirname(path), index), name);
    if (target === undefined) throw new Error(`${path}: ${index} exports no ${name}`);
    const specifier = relative(dirname(path), target.file);
    return { specifier: specifier.startsWith('.') ? specifier : `./${specifier}`, name: target.name };
  };
  return readFileSync(path, 'utf8')
    .replace(NAMED, (_, keyword, names, index) => {
      const lines = valuesOf(names).map(({ name, as }) => {
        const target = direct(name, index);
        return `${keyword} { ${target.name} as ${as} } from '${target.specifier}';`;
      });
      return lines.join(' ');
    })
    .replace(DYNAMIC, (_, name, index) => {
      const target = direct(name, index);
      return `const { ${target.name}: ${name} } = await import('${target.specifier}')`;
    });
}

/** The names of a braced list that are values, not types. */
function valuesOf(list) {
  return list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '' && !item.startsWith('type '))
    .map((item) => {
      const [name, as = name] = item.split(' as ');
      return { name, as };
    });
}

/** Follows re-exports to the file that defines a name. */
function findDefinition(file, name) {
  const source = readFileSync(file, 'utf8');
  for (const [, defined] of source.matchAll(DEFINITION)) if (defined === name) return { file, name };
  for (const [, names, from] of source.matchAll(REEXPORT)) {
    const found = valuesOf(names).find(({ as }) => as === name);
    if (found !== undefined) return findDefinition(join(dirname(file), from), found.name);
  }
  for (const [, from] of source.matchAll(REEXPORT_ALL)) {
    const found = findDefinition(join(dirname(file), from), name);
    if (found !== undefined) return found;
  }
  return undefined;
}
