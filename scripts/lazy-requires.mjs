/**
 * An esbuild plugin: oclif's modules load what they require when they first use it, not when they are loaded.
 *
 * Its parser alone would otherwise load help, terminal colours, templates and readline at every start (10 ms of 70).
 * TypeScript writes every import of such a module as `const x_1 = require("...")` and every use as `x_1.name`; both are
 * rewritten, what looks different stays as it is.
 */
import { readFileSync } from 'node:fs';

const IMPORT = /^(?:const|var) (\w+) = ((?:__importDefault|__importStar)\()?require\(("[^"]+")\)\)?;$/gm;

export const lazyRequires = {
  name: 'lazy-requires',
  setup({ onLoad }) {
    onLoad({ filter: /\/@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => ({
      contents: rewrite(readFileSync(path, 'utf8')),
      loader: 'js',
    }));
  },
};

function rewrite(text) {
  const names = [];
  const declared = text.replace(IMPORT, (_, name, wrap, module) => {
    names.push(name);
    const value = wrap === undefined ? `require(${module})` : `${wrap}require(${module}))`;
    return `let ${name}$;const ${name}$$=()=>${name}$??=${value};`;
  });
  return names.reduce((code, name) => code.replace(new RegExp(`\\b${name}(?=\\.)`, 'g'), () => `(${name}$$())`), declared);
}
